import { join, relative } from "node:path";
import { explainDownload } from "./download_failure.ts";
import { CARRIED_NAMES } from "../lib/app/carried_names.ts";
import { run } from "./run.ts";

/** The repository. */
export const ROOT: string = join(import.meta.dirname ?? ".", "..");
/** Where what is built is put. */
export const DIST: string = join(ROOT, "dist");

interface Manifest {
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
}

/** A program in a few JavaScript files. */
export interface Bundle {
  /** The one that is started. It imports the others. */
  readonly path: string;
  /** All of them. */
  readonly files: readonly string[];
  readonly version: string;
  readonly commit: string;
}

/**
 * Puts the program and all that it runs into a few JavaScript files: only the parts of packages that it uses, the
 * pages, and the version and commit. It starts faster than the modules one by one, and a binary of it holds no
 * package tree. What the program imports while it runs is a file of its own: not read before.
 *
 * @param commit Empty: git's, with `-dirty` when files differ from it.
 */
export async function bundle(commit: string): Promise<Bundle> {
  const manifest = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json"))) as Manifest;
  const folder = join(DIST, "build");
  await Deno.mkdir(folder, { recursive: true });
  const named = commit || await describeCommit();
  await Deno.writeTextFile(join(folder, "version.ts"), versionModule(manifest.version, named));
  await Deno.writeTextFile(join(folder, "carried_files.ts"), await carriedModule());
  await Deno.writeTextFile(join(folder, "deno.json"), bundleConfig(manifest, folder));
  // A copy, so that what is built is held against the lock file and never changes it.
  await Deno.copyFile(join(ROOT, "deno.lock"), join(folder, "deno.lock"));
  const output = join(folder, "code");
  await removeFolder(output);
  const args = [
    "bundle",
    "--frozen",
    "--quiet",
    "--config",
    join(folder, "deno.json"),
    "--lock",
    join(folder, "deno.lock"),
    "--code-splitting",
    "--outdir",
    output,
    join(ROOT, "main.ts"),
  ];
  try {
    await run(Deno.execPath(), args, { cwd: ROOT });
  } catch (error) {
    throw explainDownload(error, Deno.version.deno, Deno.build.target);
  }
  const files = [];
  for await (const { name } of Deno.readDir(output)) files.push(join(output, name));
  for (const file of files) await Deno.writeTextFile(file, withoutPaths(await Deno.readTextFile(file)));
  return { path: join(output, "main.js"), files: files.toSorted(), version: manifest.version, commit: named };
}

/** Else it would keep the files of another program: their names have hashes. */
async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function describeCommit(): Promise<string> {
  try {
    return (await run("git", ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
      cwd: ROOT,
    }))
      .trim();
  } catch {
    return "";
  }
}

function versionModule(version: string, commit: string): string {
  return `export const VERSION = ${JSON.stringify(version)};\nexport const COMMIT = ${
    JSON.stringify(commit)
  };\n`;
}

/** What stands for `lib/app/carried_files.ts` where there is no repository. */
async function carriedModule(): Promise<string> {
  const texts = await Promise.all(CARRIED_NAMES.map((path) => Deno.readTextFile(join(ROOT, path))));
  const all = Object.fromEntries(CARRIED_NAMES.map((path, index) => [path, texts[index]]));
  return `const TEXTS: Record<string, string> = ${JSON.stringify(all)};
export function carriedText(path: string): string {
  return TEXTS[path] ?? "";
}
`;
}

/** The repository's imports, with modules made here in the place of those that a checkout has. */
function bundleConfig({ imports }: Manifest, folder: string): string {
  const replaced = ["version.ts", "carried_files.ts"].map((name) => {
    const path = relative(folder, join(ROOT, "lib/app", name)).replaceAll("\\", "/");
    return [path, `./${name}`];
  });
  return JSON.stringify(
    { nodeModulesDir: "none", imports: { ...imports, ...Object.fromEntries(replaced) } },
    null,
    2,
  );
}

/** Comments that name files by their path would tell of the machine that built it, and differ between two. */
function withoutPaths(code: string): string {
  return code.replace(/^\/\/ (?:\.\.\/|\/|[A-Za-z]:).*?\/npm\/[^/\n]+\//gm, "// npm:");
}
