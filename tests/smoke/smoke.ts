/**
 * Builds the program and runs it as a user would: from an empty folder, with an empty environment.
 *
 * `deno task smoke`. Needs ffmpeg and ffprobe. The last line is `N passed, N failed`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Checklist, say } from "./checklist.ts";
import { checkCommands, checkFiles } from "./command_checks.ts";
import { checkNodes } from "./node_checks.ts";
import { checkReadme } from "./readme_checks.ts";
import { checkServer } from "./server_checks.ts";
import { buildSubjects, type Subject } from "./subject.ts";

const list = new Checklist();
let subjects: readonly Subject[] = [];
await list.check("compiles", async () => {
  subjects = await buildSubjects();
  return subjects.map(({ name }) => name).join(", ");
});
for (const subject of subjects) {
  say(`\n${subject.name}`);
  const folder = await Deno.makeTempDir({ prefix: "headwater-smoke-" });
  const [empty, files] = [join(folder, "empty"), join(folder, "files")];
  try {
    for (const each of [empty, files]) await Deno.mkdir(each);
    await checkCommands(list, subject, empty);
    await list.check("a server in an empty folder", () => checkServer(list, subject, empty));
    await list.check("the folder is still empty", () => assert.deepEqual([...Deno.readDirSync(empty)], []));
    await checkFiles(list, subject, files);
    await list.check("a cluster and an edge", () => checkNodes(list, subject, files));
    await list.check("README's cluster and edge", () => checkReadme(list, subject, files));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
say(`\n${list.summary()}`);
Deno.exit(list.failed === 0 ? 0 : 1);
