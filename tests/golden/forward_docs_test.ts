import assert from "node:assert/strict";
import { forwardSettings } from "../../lib/app/settings.ts";
import { DEFAULT_VHOST } from "../../lib/base/stream_address.ts";
import { loadConfig } from "../../lib/config/config_load.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/forward.md", import.meta.url));
const blocks = Array.from(
  PAGE.matchAll(/```(toml|nginx)\n([^`]*)```/g),
  ([, kind = "", text = ""]) => ({ kind, text }),
);

Deno.test("docs/forward.md has a configuration for platforms and two for media servers", () => {
  assert.deepEqual(blocks.map(({ kind }) => kind), ["toml", "toml", "nginx"]);
});

for (const [index, { kind, text }] of blocks.entries()) {
  Deno.test(`docs/forward.md: the ${kind} of block ${index + 1} is accepted, without a warning, and forwards`, () => {
    const path = kind === "toml" ? "a.toml" : "a.conf";
    const { config, warnings } = loadConfig({ path, environment: {}, readTextFile: () => text });
    assert.deepEqual(warnings, []);
    const destinations = forwardSettings(config, DEFAULT_VHOST)?.destinations ?? [];
    assert.ok(destinations.length >= 2);
    for (const { url } of destinations) assert.ok(text.includes(url.host) && text.includes(url.stream));
  });
}

Deno.test("an edge that is to forward is warned of, and one that has no URL is a mistake with its line", () => {
  const load = (text: string) => loadConfig({ path: "a.toml", environment: {}, readTextFile: () => text });
  const edge = load(`[vhost.__defaultVhost__]
cluster = { mode = "remote", origin = ["o"] }
forward = { enabled = true, destination = ["b"] }`);
  assert.deepEqual(edge.warnings, [
    "vhost __defaultVhost__ forwards nothing: it is an edge, whose origins do that",
  ]);
  assert.equal(forwardSettings(edge.config, DEFAULT_VHOST), undefined);
  const both = load(`[vhost.__defaultVhost__.forward]
enabled = true
destination = ["b"]
backend = "http://127.0.0.1:8085/"`);
  assert.deepEqual(both.warnings, [
    "vhost __defaultVhost__ has forward.backend, so forward.destination is not used",
  ]);
  for (
    const [line, reason] of [
      ["targets.a.key = 'a-secret'", /a\.toml:2: .*forward\.targets\.a: it has no url/],
      [
        "targets.a = { url = 'http://a/a-secret' }",
        /a\.toml:2: .*targets\..*\.url: value is hidden, must be an rtmp/,
      ],
      [
        "destination = ['rtmp://a:0/a-secret']",
        /a\.toml:2: .*destination: value is hidden, must be a list of "host/,
      ],
      ["backend = 'a-secret'", /a\.toml:2: .*backend: value is hidden, must be an http/],
      ["target.a = { url = 'rtmp://a' }", /a\.toml:2: .*'targets'/],
    ] as const
  ) {
    assert.throws(() => load(`[vhost.__defaultVhost__.forward]\n${line}\n`), (error: Error) => {
      assert.match(error.message, reason);
      return !error.message.includes("a-secret");
    });
  }
});

Deno.test("a variable sets a key of every target that the file has", () => {
  const { config } = loadConfig({
    path: "a.toml",
    environment: {
      HEADWATER_VHOST_FORWARD_TARGETS_KEY: "from-outside",
      HEADWATER_VHOST_FORWARD_ENABLED: "on",
    },
    readTextFile: () =>
      `[vhost.a.forward.targets]\nx = { url = "rtmp://x/app" }\ny = { url = "rtmp://y/app" }\n[vhost.b]\n`,
  });
  assert.deepEqual(
    forwardSettings(config, "a")?.destinations.map(({ name, url }) => [name, url.app, url.stream]),
    [["x", "app", "from-outside"], ["y", "app", "from-outside"]],
  );
  assert.deepEqual(forwardSettings(config, "b")?.destinations, []);
});
