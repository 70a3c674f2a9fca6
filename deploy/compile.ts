/**
 * Makes the binary: `deno task compile`, and those of a release: `deno task compile:all`.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { archive } from "./archive.ts";
import { type Bundle, bundle, DIST, ROOT } from "./bundle.ts";
import { explainDownload } from "./download_failure.ts";
import { run } from "./run.ts";
import { findCompiler } from "./runtime.ts";
import { sbom } from "./sbom.ts";
import { PERMISSIONS, type Target, TARGETS } from "./targets.ts";

const HELP = `Makes a binary of Headwater.

  --target NAME   ${TARGETS.map(({ name }) => name).join(", ")}; default: this machine's
  --all           every target, named headwater-NAME, alone and with samples and docs in headwater-NAME.tar.gz, with
                  SHA256SUMS and a bill of what is in them
  --output FILE   default: dist/headwater
  --commit TEXT   what --version prints; default: git's
`;

/** A binary that was made. */
export interface Binary {
  readonly path: string;
  readonly bytes: number;
  /** Of what made it. */
  readonly denoVersion: string;
  /** Size of the runtime in it, where it is known. */
  readonly runtimeBytes?: number;
}

/**
 * Makes one binary.
 *
 * @param target Undefined: for this machine.
 */
export async function compile(
  program: Pick<Bundle, "path">,
  target: Target | undefined,
  output: string,
): Promise<Binary> {
  const { command: [deno, ...first], version, denortPath } = await findCompiler(target);
  await Deno.mkdir(dirname(output), { recursive: true });
  const args = [
    ...first,
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    // As in deno.json: without it Deno warns of the request signals that HTTP-FLV watches.
    "--unstable-no-legacy-abort",
    // Short-lived objects are many and small here: a smaller nursery costs no time and a third less memory (docs/performance.md).
    "--v8-flags=--min-semi-space-size=4,--max-semi-space-size=4",
    // A cache lies under a name that all can guess in a folder that all can write to, and saves nothing.
    "--no-code-cache",
    ...PERMISSIONS,
    ...(target === undefined ? [] : ["--target", target.triple]),
    "--output",
    output,
    program.path,
  ];
  try {
    await run(deno, args, denortPath === undefined ? {} : { env: { DENORT_BIN: denortPath } });
  } catch (error) {
    throw explainDownload(error, version, target?.triple ?? Deno.build.target);
  }
  const runtimePath = denortPath ?? Deno.env.get("DENORT_BIN");
  return {
    path: output,
    bytes: (await Deno.stat(output)).size,
    denoVersion: version,
    ...(runtimePath === undefined ? {} : { runtimeBytes: (await Deno.stat(runtimePath)).size }),
  };
}

/** `hash  name` a line, as `sha256sum -c` reads them. */
export async function checksums(paths: readonly string[]): Promise<string> {
  let text = "";
  for (const path of paths) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path)));
    const digits = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    text += `${digits}  ${basename(path)}\n`;
  }
  return text;
}

async function compileFromArguments(): Promise<number> {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      target: { type: "string" },
      all: { type: "boolean" },
      output: { type: "string" },
      commit: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    say(HELP);
    return 0;
  }
  const target = TARGETS.find(({ name }) => name === values.target);
  if (values.target !== undefined && target === undefined) {
    say(`Cannot compile for ${values.target}: must be one of ${TARGETS.map(({ name }) => name).join(", ")}`);
    return 1;
  }
  const program = await bundle(values.commit ?? "");
  if (values.all !== true) {
    const name = `headwater${target?.extension ?? (Deno.build.os === "windows" ? ".exe" : "")}`;
    report(await compile(program, target, values.output ?? join(DIST, name)));
    return 0;
  }
  const made: string[] = [];
  const archives: string[] = [];
  const atS = Number(await run("git", ["log", "-1", "--format=%ct"], { cwd: ROOT }));
  for (const each of TARGETS) {
    const output = join(DIST, `headwater-${each.name}${each.extension}`);
    try {
      report(await compile(program, each, output));
      archives.push(await archive(output, each, program.version, atS));
      made.push(output);
    } catch (error) {
      say(`${output}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const bill = join(DIST, "headwater.cdx.json");
  await Deno.writeTextFile(bill, await billOf(program));
  await Deno.writeTextFile(join(DIST, "SHA256SUMS"), await checksums([...made, ...archives, bill]));
  say(`${made.length} of ${TARGETS.length} made`);
  return made.length === TARGETS.length ? 0 : 1;
}

async function billOf(program: Bundle): Promise<string> {
  const code = await Promise.all(program.files.map((file) => Deno.readTextFile(file)));
  return sbom(program, code.join("\n"), await Deno.readTextFile(join(ROOT, "deno.lock")), Deno.version.deno);
}

function report({ path, bytes, denoVersion, runtimeBytes }: Binary): void {
  const over = runtimeBytes === undefined ? "" : `, ${megabytes(bytes - runtimeBytes)} of it ours`;
  say(`${path}: ${megabytes(bytes)}${over} (Deno ${denoVersion})`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function say(text: string): void {
  // deno-lint-ignore no-console -- this is a command line program
  console.log(text);
}

/** A failure in one paragraph: where in these scripts it came up helps nobody. */
async function compileOrSay(): Promise<number> {
  try {
    return await compileFromArguments();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await compileOrSay());
