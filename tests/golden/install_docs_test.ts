import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { TARGETS } from "../../deploy/targets.ts";
import { ListenError } from "../../lib/base/listen_error.ts";
import { parseCommandLine } from "../../lib/app/command_line.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { portAdvice } from "../../lib/app/port_advice.ts";
import { VERSION } from "../../lib/app/version.ts";
import { welcome } from "../../lib/app/welcome.ts";

const NO_TLS = { exporter: [], rtmps: [], httpsApi: [], httpsServer: [] };

const ROOT = new URL("../../", import.meta.url);
const text = Deno.readTextFileSync(new URL("docs/install.md", ROOT));
const { config } = loadConfig({ path: "a.toml", environment: {}, readTextFile: () => "" });

Deno.test("docs/install.md shows what a first start and a port in use print", () => {
  const addresses = {
    rtmp: [{ hostname: "0.0.0.0", port: 1935 }],
    httpApi: [{ hostname: "0.0.0.0", port: 1985 }],
    httpServer: [{ hostname: "0.0.0.0", port: 8080 }],
    ...NO_TLS,
  };
  const shown = text.replace(/^headwater [\d.]+ \([0-9a-f]+\)/m, `headwater ${VERSION}`);
  assert.ok(shown.includes(welcome(config, "built-in defaults", addresses)));
  const inUse = Object.assign(new Error("in use"), { name: "AddrInUse" });
  const advice = portAdvice(new ListenError({ hostname: "0.0.0.0", port: 1935 }, inUse), config);
  assert.ok(text.includes(`\n${advice}\n`));
});

Deno.test("docs/install.md has commands that the program and deno.json know", () => {
  const lines = text.match(/^headwater\b(?! \d).*$/gm) ?? [];
  assert.ok(lines.length >= 4);
  for (const line of lines) {
    const args = line.replace(/#.*/, "").trim().split(/\s+/).slice(1);
    assert.notEqual(parseCommandLine(args).kind, "exit", line);
  }
  for (const [, task = ""] of text.matchAll(/deno task ([\w:]+)/g)) assert.ok(task in manifest.tasks, task);
});

Deno.test("docs/install.md names every download, and files that there are", () => {
  const files = Array.from(
    text.matchAll(/`(headwater-(?:linux|macos|windows)-[\w.]+)`/g),
    ([, name]) => name,
  );
  assert.deepEqual(files, TARGETS.map(({ name, extension }) => `headwater-${name}${extension}`));
  for (const [path] of text.matchAll(/(?:deploy|conf)\/[\w./-]+\w/g)) {
    if (path !== "conf/headwater.toml") assert.ok(Deno.statSync(new URL(path, ROOT)), path);
  }
});
