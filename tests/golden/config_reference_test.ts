import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { CONFIG_KEYS } from "../../lib/config/config.ts";
import { DEFAULT_VHOST } from "../../lib/base/stream_address.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { isTable, type RawTable, valueAt } from "../../lib/config/raw_config.ts";

const REFERENCE = new URL("../../conf/headwater.reference.toml", import.meta.url);

function leaves(table: RawTable, path: readonly string[] = []): string[] {
  return Object.entries(table).flatMap(([name, value]) =>
    isTable(value) ? leaves(value, [...path, name]) : [[...path, name].join(".")]
  );
}

Deno.test("the reference file has every key of the schema, its default and its meaning", () => {
  // What there may be any number of stands there as an example, behind a `#` without a space.
  const text = Deno.readTextFileSync(REFERENCE).replaceAll(/^#(?=\[|\w+ = )/gm, "");
  const values = parse(text);
  const keys = CONFIG_KEYS.map((key) => ({
    ...key,
    path: key.path.map((step, index) => step !== "*" ? step : index === 1 ? DEFAULT_VHOST : "youtube"),
  }));
  assert.deepEqual(leaves(values), keys.map(({ path }) => path.join(".")));
  for (const { path, default: value, about } of keys) {
    assert.deepEqual(valueAt(values, path), value, path.join("."));
    const words = text.replaceAll("\n# ", " ");
    assert.ok(words.includes(`${about}\n${path.at(-1)} = `), `${path.join(".")} has no or an old comment`);
  }
});

Deno.test("every shipped configuration can be used", () => {
  const folder = new URL("../../conf/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    name.endsWith(".toml")
  );
  assert.ok(names.includes("headwater.toml"));
  for (const name of names) {
    const readTextFile = (path: string): string => Deno.readTextFileSync(new URL(path, folder));
    assert.deepEqual(loadConfig({ path: name, environment: {}, readTextFile }).warnings, []);
  }
});

Deno.test("the reference file, and no file, are the same configuration", () => {
  const read = (text: string): unknown =>
    loadConfig({ path: "a.toml", environment: {}, readTextFile: () => text }).config;
  assert.deepEqual(read(Deno.readTextFileSync(REFERENCE)), read(""));
});
