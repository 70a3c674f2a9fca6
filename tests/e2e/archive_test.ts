import { deepEqual, equal, match, ok } from "node:assert/strict";
import { basename, join } from "node:path";
import manifest from "../../deno.json" with { type: "json" };
import { archive } from "../../deploy/archive.ts";
import { checksums } from "../../deploy/compile.ts";
import { TARGETS } from "../../deploy/targets.ts";
import { programTest } from "./program_test_case.ts";
import { RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

/** A release's archive of something else than the binary, which is as good. */
async function pack(scope: TestScope, name: string, folder: string): Promise<string> {
  const target = TARGETS.find((each) => each.name === name);
  ok(target !== undefined);
  const binary = scope.path("binary");
  await Deno.writeTextFile(binary, "#!/bin/sh\necho it runs\n");
  await Deno.mkdir(scope.path(folder));
  return await archive(binary, target, manifest.version, 1_700_000_000, scope.path(folder));
}

async function listed(path: string): Promise<string[]> {
  return (await RunningProgram.start("tar", ["-tzf", path]).succeed()).trim().split("\n");
}

programTest(
  [],
  "a release's archive has the binary, samples, docs, the unit and what watches it",
  async (scope) => {
    const path = await pack(scope, "linux-x64", "out");
    equal(basename(path), "headwater-linux-x64.tar.gz");
    await RunningProgram.start("tar", ["-xzf", path, "-C", scope.path("out")]).succeed();
    const folder = join(scope.path("out"), `headwater-${manifest.version}-linux-x64`);
    equal(await RunningProgram.start(join(folder, "headwater"), []).succeed(), "it runs\n");
    const files = [
      "LICENSE",
      "README.md",
      "CHANGELOG.md",
      "docs/install.md",
      "deploy/headwater.service",
      "deploy/prometheus/alerts.yaml",
      "deploy/grafana/headwater.json",
      ...(await Array.fromAsync(Deno.readDir("conf"))).map(({ name }) => `conf/${name}`),
    ];
    for (const file of files) {
      equal(
        await Deno.readTextFile(join(folder, file)),
        await Deno.readTextFile(file),
        file,
      );
    }
  },
);

programTest([], "archives of the same files are the same, and only Linux has the unit", async (scope) => {
  const [first, second] = [await pack(scope, "linux-arm64", "a"), await pack(scope, "linux-arm64", "b")];
  equal(await checksums([first]), await checksums([second]));
  const windows = await listed(await pack(scope, "windows-x64", "c"));
  ok(windows.includes(`headwater-${manifest.version}-windows-x64/headwater.exe`));
  deepEqual(windows.filter((name) => name.endsWith(".service")), []);
  const lines = await RunningProgram.start("tar", ["-tvzf", first], { TZ: "UTC" }).succeed();
  match(lines.split("\n")[0] ?? "", /^drwxr-xr-x 0\/0 +0 2023-11-14 /);
});
