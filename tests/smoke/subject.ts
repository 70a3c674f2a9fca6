import { join } from "node:path";
import { type Bundle, bundle, DIST } from "../../deploy/bundle.ts";
import { type Binary, compile } from "../../deploy/compile.ts";
import { PERMISSIONS } from "../../deploy/targets.ts";

/** One way to run the program. */
export interface Subject {
  readonly name: string;
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  /** Absent: it runs on a Deno that is installed. */
  readonly binary?: Binary;
  readonly program: Bundle;
}

/**
 * Builds what is checked: the binary, and, where its runtime is not the Deno that runs this, the same program on that
 * Deno with the binary's permissions.
 */
export async function buildSubjects(): Promise<Subject[]> {
  const program = await bundle("");
  const binary = await compile(program, undefined, join(DIST, "headwater"));
  const subjects: Subject[] = [
    { name: `binary of Deno ${binary.denoVersion}`, command: [binary.path], binary, program },
  ];
  if (binary.denoVersion !== Deno.version.deno) {
    const flags = ["--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
    subjects.push({
      name: `Deno ${Deno.version.deno}`,
      command: [Deno.execPath(), "run", ...flags, ...PERMISSIONS, program.path],
      program,
    });
  }
  return subjects;
}
