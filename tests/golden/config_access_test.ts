import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/config_load.ts";
import { ACCESS_BLOCKS, OPENS_NOTHING, unsupportedAccess } from "../../lib/config/srs_access.ts";
import { SRS_MAPPINGS, SRS_NAMES, SRS_SPECIAL } from "../../lib/config/srs_directives.ts";

function load(text: string, environment: Record<string, string> = {}) {
  const readTextFile = (path: string) => path === "a.conf" ? `listen 1935;\n${text}` : undefined;
  return loadConfig({ path: "a.conf", environment, readTextFile });
}

function message(text: string, environment: Record<string, string> = {}): string {
  try {
    load(text, environment);
  } catch (error) {
    return (error as Error).message;
  }
  return "can be used";
}

Deno.test("SRS's access control: each of its directives is one of ours, or opens nothing when it is left out", () => {
  const handled = new Set([...SRS_MAPPINGS.map(({ directive }) => directive), ...SRS_SPECIAL]);
  for (const block of ACCESS_BLOCKS) {
    for (const name of SRS_NAMES[block] ?? assert.fail(`${block} is not checked`)) {
      const path = `${block}.${name}`;
      assert.ok(handled.has(path) || OPENS_NOTHING.has(path), path);
    }
  }
});

Deno.test("SRS's access control: a directive that is none of ours is a mistake, never a warning", () => {
  const position = { file: "a.conf", line: 1 };
  const deny = { name: "deny", args: ["publish", "all"], children: [], position };
  const root = [{
    name: "vhost",
    args: ["a"],
    children: [{ name: "security", args: [], children: [deny], position }],
    position,
  }];
  assert.deepEqual([...unsupportedAccess(root, "", new Set())].map(({ message }) => message), [
    "Cannot use vhost.security.deny: this server does not have it, and without it would let in more than is asked for",
  ]);
});

const MISPLACED: Readonly<Record<string, string>> = {
  "auth { enabled on; }": "a.conf:2: unknown directive 'auth'",
  "http_server { auth { enabled on; } }": "a.conf:2: unknown directive 'auth'",
  "vhost a { auth { enabled on; } }": "a.conf:2: unknown directive 'auth'",
  "security { enabled on; deny publish all; }": "a.conf:2: unknown directive 'security'",
  "vhost a { play { security { enabled on; } } }": "a.conf:2: unknown directive 'security'",
  "vhost a { bandcheck { auth { enabled on; } } }":
    "a.conf:2: Cannot use vhost.bandcheck.auth: 'auth' stands in http_api.auth",
  "vhost a { hds { refer { enabled on; } } }":
    "a.conf:2: Cannot use vhost.hds.refer: 'refer' stands in vhost.refer",
  "tencentcloud_cls { https { enabled on; } }":
    "a.conf:2: Cannot use tencentcloud_cls.https: 'https' stands in http_api.https or http_server.https",
  "vhost a { security on; }": "a.conf:2: Cannot use vhost.security: must be a block, 'security { ... }'",
  "vhost a { http_hooks http://127.0.0.1/; }":
    "a.conf:2: Cannot use vhost.http_hooks: must be a block, 'http_hooks { ... }'",
  "vhost a { security { enabled on; deny; } }":
    'a.conf:2: Cannot use vhost.a.security.rules: value is "deny": after deny follows publish or play',
  "vhost a { security { enabled yes; } }":
    'a.conf:2: Cannot use vhost.security.enabled: value is "yes", must be on or off',
  "vhost a { security { enabled on; denny publish all; } }":
    "a.conf:2: unknown directive 'denny': did you mean 'deny'?",
  "vhost a { refer { enabled on; all; } }": "a.conf:2: Cannot use vhost.refer.all: it has no value",
  "vhost a { refer { enabled on; all http://a.com/; } }":
    'a.conf:2: Cannot use vhost.a.refer.all: value is "http://a.com/", must be a list of domains such as "example.com", ' +
    "without a scheme or a path",
  "vhost a { http_hooks { enabled on; on_publish 127.0.0.1:8085; } }":
    "a.conf:2: Cannot use vhost.a.http_hooks.on_publish: value is hidden, must be a list of URLs that begin with " +
    '"http://" or "https://"',
};

for (const [text, expected] of Object.entries(MISPLACED)) {
  Deno.test(`SRS's access control: ${text}`, () => assert.equal(message(text), expected));
}

Deno.test("SRS's access control: variables that would be left out", () => {
  assert.equal(
    message("", {
      SRS_HTTP_API_AUTH_REALM: "a",
      SRS_VHOST_HLS_ENABLED: "on",
      SRS_VHOST_HTTP_HOOKS_ON_DVR: "http://a/",
    }),
    "environment variable SRS_HTTP_API_AUTH_REALM: Cannot use http_api.auth.realm: this server does not have it, and " +
      "without it would let in more than is asked for",
  );
  const { config } = load("vhost a { }", {
    SRS_VHOST_HTTP_HOOKS_ENABLED: "on",
    SRS_VHOST_HTTP_HOOKS_ON_PLAY: "http://a/ http://b/",
  });
  assert.equal(config.vhost["a"]?.http_hooks.enabled, true);
  assert.deepEqual(config.vhost["a"]?.http_hooks.on_play, ["http://a/", "http://b/"]);
});

Deno.test("hooks of what this server does not do are named in a warning", () => {
  const { warnings } = load(
    "vhost a { http_hooks { enabled on; on_hls_notify http://a/; on_hls http://a/; on_play http://a/; } }",
  );
  assert.deepEqual(warnings.filter((line) => line.includes("ignored")), [
    "a.conf: ignored, not supported: vhost.http_hooks.on_hls_notify (line 2), vhost.http_hooks.on_hls (line 2)",
  ]);
});

Deno.test("https hooks of an SRS file take any certificate, and the log says so; others verify", () => {
  const text = "vhost a { http_hooks { enabled on; on_play https://127.0.0.1/; } }";
  assert.deepEqual(load(text).warnings, [
    "vhost a takes any certificate of its https hooks, whoever answers there decides: set http_hooks.tls_verify and ca",
  ]);
  assert.equal(load(text).config.vhost["a"]?.http_hooks.tls_verify, false);
  assert.deepEqual(load(text, { HEADWATER_VHOST_HTTP_HOOKS_TLS_VERIFY: "true" }).warnings, []);
  const readTextFile = (path: string) =>
    path === "a.toml"
      ? '[vhost.a.http_hooks]\nenabled = true\non_play = "https://127.0.0.1/"\nca = "ca.pem"'
      : undefined;
  assert.throws(() => loadConfig({ path: "a.toml", environment: {}, readTextFile }), {
    message: "a.toml:4: Cannot use vhost.a.http_hooks.ca: 'ca.pem' does not exist",
  });
});

Deno.test("access control that is switched on and asks nothing is warned of", () => {
  const text = "vhost a { security { enabled on; } refer { enabled on; } http_hooks { enabled on; } }";
  assert.deepEqual(load(text).warnings, [
    "vhost a has security enabled without any rule: nobody can publish or play",
    "vhost a has refer enabled without any domain: every page may publish and play",
    "vhost a has http_hooks enabled without any hook: nobody is asked or told",
  ]);
});
