import assert from "node:assert/strict";
import { stringify } from "smol-toml";
import { type Config, CONFIG_KEYS, type ConfigKey } from "../../lib/config/config.ts";
import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { type RawTable, setValue, valueAt } from "../../lib/config/raw_config.ts";
import { accessSettings } from "../../lib/app/access_settings.ts";
import { keyPairFiles } from "../../lib/app/tls_sections.ts";
import { planReload, RESTART_KEYS } from "../../lib/app/reload.ts";
import {
  clusterSettings,
  forwardSettings,
  httpLimits,
  httpSettings,
  recordingSettings,
  serverLimits,
  vhostSettings,
} from "../../lib/app/settings.ts";

/** Of each role a vhost, so that every key has one in which it counts. */
function running(): RawTable {
  return {
    http_api: { auth: { enabled: true, username: "admin", password: "a-password" } },
    rtmps: { listen: 1443 },
    vhost: {
      plain: {
        cluster: { origin: ["o"] },
        // Called as the vhost is: both names stand for a `*`.
        forward: {
          enabled: true,
          destination: ["127.0.0.1"],
          targets: { plain: { url: "rtmp://127.0.0.1/live" } },
        },
      },
      origin: { cluster: { origin_cluster: true, coworkers: ["127.0.0.1:9091"] } },
      edge: { cluster: { mode: "remote", origin: ["127.0.0.1:1935"] } },
      "flags.example.com": {
        http_remux: { guess_has_av: false },
        security: { enabled: true },
        tokens: { enabled: true, secret: "0123456789abcdef0123456789abcdef" },
        refer: { enabled: true },
        http_hooks: { enabled: true },
      },
      keys: { tokens: { enabled: true, public_key: "a.pem" } },
      sets: { tokens: { enabled: true, jwks: "https://127.0.0.1/jwks" } },
    },
  };
}

const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;

/** Any that is there. */
const CA_FILE = new URL(import.meta.url).pathname;

/** Other values of keys whose values can't be guessed. */
const OTHERS: Readonly<Record<string, unknown>> = {
  "log_level": "debug",
  "log_format": "json",
  "trusted_proxies": ["10.0.0.0/8"],
  "upstream_tls.unverified_names": ["10.0.0.1"],
  "http_api.auth.enabled": false,
  "heartbeat.url": "http://127.0.0.2/",
  "vhost.*.cluster.mode": "remote",
  "vhost.*.cluster.coworkers": ["10.0.0.1:1985"],
  "vhost.*.cluster.redirect": "302",
  "vhost.*.cluster.on_conflict": "takeover",
  "vhost.*.cluster.origin": ["10.0.0.1"],
  "vhost.*.forward.destination": ["127.0.0.1:19350"],
  "vhost.*.forward.backend": "http://127.0.0.1:8085/",
  "vhost.*.forward.targets.*.url": "rtmp://127.0.0.1/other",
  "vhost.*.forward.targets.*.streams": ["live/*"],
  "vhost.*.http_remux.mount": "/[app]/[stream].flv",
  "vhost.*.refer.all": ["example.com"],
  "vhost.*.refer.publish": ["example.com"],
  "vhost.*.refer.play": ["example.com"],
  "vhost.*.http_hooks.on_connect": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_close": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_publish": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_unpublish": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_play": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_stop": ["http://127.0.0.1/"],
  "vhost.*.http_hooks.on_dvr": ["http://127.0.0.1/"],
  "vhost.*.dvr.dvr_apply": ["live/a"],
  "vhost.*.dvr.dvr_plan": "segment",
  "vhost.*.dvr.time_jitter": "off",
  "vhost.*.http_hooks.on_failure": "allow",
  "vhost.*.http_hooks.ca": CA_FILE,
  "vhost.*.tokens.enabled": false,
  "vhost.*.tokens.secret": "fedcba9876543210fedcba9876543210",
  "vhost.*.tokens.public_key": "b.pem",
  "vhost.*.tokens.jwks": "https://127.0.0.2/jwks",
  "vhost.*.security.rules": ["deny publish 10.0.0.0/8"],
  "limits.amf_depth_max": 10,
  "limits.buffered_max_bytes": 40_000_000,
  "limits.message_max_bytes": 1_000_000,
};

function otherValue({ path, kind, default: value }: ConfigKey): unknown {
  const other = OTHERS[path.join(".")];
  if (other !== undefined) return other;
  switch (kind) {
    case "boolean":
      return value !== true;
    case "integer":
      return Number(value) + 1000;
    case "latency":
      return 7;
    case "listen":
      return 4711;
    case "text":
      return "other";
    default:
      throw new Error(`Cannot guess another value of ${path.join(".")}`);
  }
}

function load(values: RawTable): Config {
  const readTextFile = (path: string) => path.endsWith(".pem") ? PUBLIC_KEY : stringify(values);
  return loadConfig({ path: "a.toml", environment: {}, readTextFile }).config;
}

/** Everything that a running server is given of a configuration when it is reloaded. */
function given(config: Config): unknown {
  const vhosts = vhostSettings(config);
  return {
    limits: serverLimits(config),
    vhosts: [...vhosts],
    access: [...accessSettings(config)],
    cluster: [...clusterSettings(config, vhosts, 1935, 1985).vhosts],
    http: [httpSettings(config), httpLimits(config)],
    recordings: Object.keys(config.vhost).map((name) => recordingSettings(config, name)),
    forward: Object.keys(config.vhost).map((name) => forwardSettings(config, name)),
    // What `lib/app/program.ts` and `Node.stop` read of it themselves.
    log: [config.log_level, config.log_format, config.log_file],
    process: [
      config.pid,
      config.grace_s,
      config.grace_start_wait_ms,
      config.grace_final_wait_ms,
      config.force_grace_quit,
    ],
    proxies: config.trusted_proxies,
    // What `lib/app/http_apps.ts` and `lib/app/heartbeat.ts` read of it themselves.
    watched: [config.exporter, config.heartbeat],
    upstreamTls: config.upstream_tls,
    certificates: (["rtmps", "http_api.https", "http_server.https"] as const).map((section) => {
      const { cert, key } = keyPairFiles(config, section);
      return [cert, key];
    }),
  };
}

for (const key of CONFIG_KEYS) {
  const name = key.path.join(".");
  Deno.test(`a reload changes ${name}, or says that it takes a restart`, () => {
    const before = load(running());
    const vhosts = key.path.includes("*") ? Object.keys(before.vhost) : [""];
    const outcomes = vhosts.map((vhost) => {
      const path = key.path.map((step) => step === "*" ? vhost : step);
      const values = running();
      setValue(values, path, otherValue(key));
      let after: Config;
      try {
        after = load(values);
      } catch (error) {
        assert.ok(error instanceof ConfigError, `${error}`);
        return "not possible in this vhost";
      }
      const { config, needRestart } = planReload(before, after);
      if (needRestart.length > 0) {
        assert.deepEqual(needRestart, [name]);
        assert.deepEqual(valueAt({ ...config }, path), valueAt({ ...before }, path), "keeps its value");
        return "restart";
      }
      assert.deepEqual(config, after);
      return JSON.stringify(given(config)) === JSON.stringify(given(before)) ? "nothing" : "changed";
    });
    const expected = RESTART_KEYS.some((path) => path.join(".") === name) ? "restart" : "changed";
    assert.ok(outcomes.includes(expected), `${outcomes}`);
  });
}

Deno.test("a reload without a change of ports needs no restart, with one it names each, every time", () => {
  const before = load({});
  assert.deepEqual(planReload(before, load({})).needRestart, []);
  const after = load({ listen: [1935, 1936], chunk_size: 4096, http_server: { enabled: false } });
  const first = planReload(before, after);
  assert.deepEqual(first.needRestart, ["listen", "http_server.enabled"]);
  assert.equal(first.config.chunk_size, 4096);
  assert.equal(first.config.listen.length, 1);
  assert.deepEqual(planReload(first.config, after).needRestart, ["listen", "http_server.enabled"]);
  assert.deepEqual(after.listen.length, 2, "what was read stays as it is");
});
