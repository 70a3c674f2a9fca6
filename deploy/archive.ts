import { join } from "node:path";
import { DIST, ROOT } from "./bundle.ts";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

/** What a release's archive has beside the binary: file or folder of the repository, and what it is called there. */
export const ARCHIVED: readonly (readonly [from: string, to: string])[] = [
  ["LICENSE", "LICENSE"],
  ["README.md", "README.md"],
  ["CHANGELOG.md", "CHANGELOG.md"],
  ["conf", "conf"],
  ["docs", "docs"],
  ["deploy/prometheus", "deploy/prometheus"],
  ["deploy/grafana", "deploy/grafana"],
];

/** What only those of Linux have. */
export const ARCHIVED_FOR_LINUX: readonly (readonly [from: string, to: string])[] = [
  ["deploy/headwater.service", "deploy/headwater.service"],
];

/**
 * Packs a binary with samples of its configuration, docs, the unit of systemd, alert rules and the dashboard, in one folder named after
 * version and target. The same files make the same archive: order, owners and times are fixed. Needs GNU tar.
 *
 * @param atS The time of the files in it, in seconds since 1970.
 * @returns The path of the archive.
 */
export async function archive(
  binary: string,
  target: Target,
  version: string,
  atS: number,
  folder: string = DIST,
): Promise<string> {
  const name = `headwater-${version}-${target.name}`;
  const staged = join(folder, "archive");
  const inside = join(staged, name);
  try {
    await Deno.mkdir(join(inside, "deploy"), { recursive: true });
    const program = join(inside, `headwater${target.extension}`);
    await Deno.copyFile(binary, program);
    const isLinux = target.name.startsWith("linux");
    for (const [from, to] of [...ARCHIVED, ...(isLinux ? ARCHIVED_FOR_LINUX : [])]) {
      await copy(join(ROOT, from), join(inside, to));
    }
    await run("chmod", ["-R", "u=rwX,go=rX", inside]);
    await run("chmod", ["755", program]);
    const output = join(folder, `headwater-${target.name}.tar.gz`);
    await run("tar", [
      "--create",
      "--file",
      output,
      "--use-compress-program=gzip -n",
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      `--mtime=@${atS}`,
      "--directory",
      staged,
      name,
    ]);
    return output;
  } finally {
    await Deno.remove(staged, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
