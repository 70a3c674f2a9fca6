/**
 * Holds README, SECURITY, CONTRIBUTING and LICENSE against what there is.
 *
 * @module
 */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { apiApp } from "../fakes/fake_api.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): string => Deno.readTextFileSync(new URL(path, ROOT));

for (const name of ["README.md", "SECURITY.md", "CONTRIBUTING.md"]) {
  Deno.test(`${name} names files and tasks that there are`, () => {
    const text = read(name);
    for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)\)/g)) {
      if (!link.startsWith("https://")) assert.ok(Deno.statSync(new URL(link, ROOT)), link);
    }
    for (const [, task = ""] of text.matchAll(/deno task ([\w:]+)/g)) assert.ok(task in manifest.tasks, task);
    for (const [path] of text.matchAll(/\b(?:lib|tests|docs|conf)\/[\w./-]*\w/g)) {
      assert.ok(Deno.statSync(new URL(path, ROOT)), path);
    }
  });
}

Deno.test("docs/architecture.md names classes, functions and files that there are", () => {
  const sources = [...listSources("lib/")];
  const code = sources.map(read).join("\n");
  for (const [, name = ""] of read("docs/architecture.md").matchAll(/`([^`]+)`/g)) {
    if (/^[\w/]+\.ts$/.test(name)) {
      assert.ok(
        sources.some((path) => path === name || path.endsWith(`/${name}`)) || name === "main.ts",
        name,
      );
    } else if (/^[A-Z]\w+(\.\w+)?$/.test(name) || /^[a-z]+[A-Z]\w*$/.test(name)) {
      for (const part of name.split(".")) assert.match(code, new RegExp(`\\b${part}\\b`), name);
    }
  }
});

Deno.test("CONTRIBUTING.md shows every room of the house", () => {
  const rooms = [...Deno.readDirSync(new URL("lib/", ROOT))].map(({ name }) => name);
  const text = read("CONTRIBUTING.md");
  const shown = Array.from(text.matchAll(/^\| `lib\/(\w+)\/`/gm), ([, name]) => name);
  assert.deepEqual(shown.toSorted(), rooms.toSorted());
});

Deno.test("the license is the same in LICENSE, in deno.json and in the API", async () => {
  assert.match(read("LICENSE"), /^MIT License\n/);
  assert.equal(manifest.license, "MIT");
  const { data } = await (await apiApp().request("/api/v1/authors")).json();
  assert.equal(data.license, "MIT");
});

function* listSources(folder: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* listSources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}
