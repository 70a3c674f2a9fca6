import fc from "fast-check";
import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { tomlPositions } from "../../lib/config/toml_positions.ts";
import { SEED, SEED_TEXT } from "./random.ts";

fc.configureGlobal({ seed: SEED | 0 });

/** Texts made of what a configuration is made of, mostly in a wrong order. */
function texts(words: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...words, ...SPACES), { maxLength: 40 }).map((parts) => parts.join(""));
}

/** What JavaScript calls white space and one or both of the grammars do not, and a byte order mark. */
const SPACES = "\u00a0 \u1680 \u2028 \u3000 \ufeff \v \f \r \0".split(" ");

const SRS_WORDS = [
  ..."listen|1935|vhost|a|cluster|mode|remote|origin|play|gop_cache|on|off|hls|\"|'|#|http_api".split("|"),
  ..."; { }".split(" "),
  ...[" ", " ", " ", "\n", "\r\n", "\t"],
];
const TOML_WORDS = [
  ...'listen|chunk_size|vhost|a|"b.c"|cluster|mode|coworkers|"x:1"|1935|true|"""|\'\'\'|"|#|\\|1979-05-27'
    .split(
      "|",
    ),
  ...". = , [ ] [[ ]] { }".split(" "),
  ...[" ", "\n", "\n", " = ", " = 1\n", "]\n"],
];

/** Fails when a text is neither a configuration nor a `ConfigError` that names places in it. */
function assertRead(path: string, text: string): void {
  try {
    loadConfig({ path, environment: {}, readTextFile: () => text });
  } catch (error) {
    assert.ok(error instanceof ConfigError, `threw ${error}`);
    assert.ok(error.issues.length > 0);
    const lines = text.split("\n").length;
    for (const { line } of error.issues) assert.ok(line === undefined || (line >= 1 && line <= lines));
  }
}

for (const [path, words] of [["a.conf", SRS_WORDS], ["a.toml", TOML_WORDS]] as const) {
  Deno.test(`any text is a configuration or a ConfigError with positions: ${path} (${SEED_TEXT})`, () => {
    fc.assert(fc.property(texts(words), (text) => assertRead(path, text)), { numRuns: 2000 });
  });

  Deno.test(`any bytes are a configuration or a ConfigError with positions: ${path} (${SEED_TEXT})`, () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => new TextDecoder().decode(each));
    const garbled = fc.tuple(texts(words), bytes, texts(words)).map((parts) => parts.join(""));
    fc.assert(fc.property(fc.oneof(bytes, garbled), (text) => assertRead(path, text)), {
      numRuns: 1000,
    });
  });
}

Deno.test("tomlPositions finds each key on the line where it is written", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_.]{0,6}$/);
  const value = fc.constantFrom(
    "1",
    '"]#"',
    "'='",
    "[\n1, # ,\n2]",
    "{ x = 1 }",
    '"""\n[a]\n"""',
    "true # c",
  );
  const document = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 8 });
  fc.assert(fc.property(document, (entries) => {
    let text = "[vhost]\n";
    const expected = entries.map(([key, written]) => {
      const line = text.split("\n").length;
      text += `"${key}" = ${written}\n`;
      return { key, line };
    });
    parse(text);
    const positions = tomlPositions(text, "a.toml");
    for (const { key, line } of expected) assert.equal(positions.find(["vhost", key])?.line, line);
  }));
});
