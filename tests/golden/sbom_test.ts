import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { bundledPackages, sbom } from "../../deploy/sbom.ts";

const LOCK = Deno.readTextFileSync(new URL("../../deno.lock", import.meta.url));
const HONO = manifest.imports.hono.slice("npm:hono@".length);
const CODE = `// npm:@logtape/logtape/2.4.2/dist/level.js
var a = 1;
// npm:hono/${HONO}/dist/hono.js
// npm:hono/${HONO}/dist/router.js
// lib/app/node.ts
`;

Deno.test("bundledPackages() finds each package once, with and without a scope", () => {
  assert.deepEqual(bundledPackages(CODE), [["@logtape/logtape", "2.4.2"], ["hono", HONO]]);
});

Deno.test("sbom() lists the runtime, the bundled packages and those of the players' page, with hashes", () => {
  const text = sbom({ version: "1.2.3", commit: "abc" }, CODE, LOCK, "2.9.6");
  const { metadata, components } = JSON.parse(text);
  assert.equal(metadata.component.version, "1.2.3");
  assert.deepEqual(components.map(({ name }: { name: string }) => name), [
    "deno",
    "@logtape/logtape",
    "hono",
    "mpegts.js",
    "es6-promise",
    "events",
  ]);
  assert.equal(components[2].purl, `pkg:npm/hono@${HONO}`);
  for (const { hashes } of components.slice(1)) assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
});

Deno.test("sbom() refuses a package whose hash is not known", () => {
  const code = "// npm:unheard-of/1.0.0/index.js\n";
  assert.throws(
    () => sbom({ version: "1.2.3", commit: "" }, code, LOCK, "2.9.6"),
    /Cannot list unheard-of@1\.0\.0/,
  );
});
