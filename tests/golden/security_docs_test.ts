import { deepEqual, ok } from "node:assert/strict";
import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig } from "../../lib/config/config_load.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/security.md", import.meta.url));
const BLOCKS = [...PAGE.matchAll(/```toml\n(.*?)```/gs)].map(([, text = ""]) => text);

Deno.test("docs/security.md shows configurations", () => {
  ok(BLOCKS.length >= 3);
});

for (const [index, text] of BLOCKS.entries()) {
  Deno.test(`docs/security.md: configuration ${index + 1} is accepted without a warning`, () => {
    try {
      deepEqual(
        loadConfig({ path: "security.toml", environment: {}, readTextFile: () => text }).warnings,
        [],
      );
    } catch (error) {
      throw error instanceof ConfigError ? new Error(`${error.message}\n${text}`) : error;
    }
  });
}
