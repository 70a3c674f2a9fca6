import assert from "node:assert/strict";
import { CONFIG_KEYS } from "../../lib/config/config.ts";
import { variableName } from "../../lib/config/config_environment.ts";
import { loadConfig, type LoadedConfig } from "../../lib/config/config_load.ts";
import { valueAt } from "../../lib/config/raw_config.ts";

function load(environment: Record<string, string>, text = "", path = "a.toml"): LoadedConfig {
  return loadConfig({ path, environment, readTextFile: () => text });
}

const accepted: {
  name: string;
  environment: Record<string, string>;
  text?: string;
  path?: string;
  expected: Record<string, unknown>;
}[] = [
  {
    name: "a key of a section",
    environment: { HEADWATER_HTTP_API_LISTEN: "127.0.0.1:1986" },
    text: "[http_api]\nlisten = 1985",
    expected: { "http_api/listen": [{ hostname: "127.0.0.1", port: 1986, literal: "127.0.0.1:1986" }] },
  },
  {
    name: "a key of all vhosts",
    environment: {
      HEADWATER_VHOST_PLAY_MW_LATENCY: "0",
      HEADWATER_VHOST_CLUSTER_COWORKERS: "a:1 b:2",
      HEADWATER_VHOST_CLUSTER_ORIGIN_CLUSTER: "on",
      HEADWATER_VHOST_PLAY_GOP_CACHE: "false",
    },
    text: '[vhost.a]\n[vhost."b.c"]\nplay.mw_latency = 100',
    expected: {
      "vhost/a/play/mw_latency": 0,
      "vhost/b.c/play/mw_latency": 0,
      "vhost/a/cluster/coworkers": ["a:1", "b:2"],
      "vhost/b.c/play/gop_cache": false,
      "vhost/__defaultVhost__": undefined,
    },
  },
  {
    name: "the vhost that is there without any",
    environment: { HEADWATER_VHOST_PUBLISH_NORMAL_TIMEOUT: "7000", HEADWATER_LOG_LEVEL: "debug" },
    expected: { "vhost/__defaultVhost__/publish/normal_timeout": 7000, "log_level": "debug" },
  },
  {
    name: "SRS's names",
    environment: {
      SRS_LISTEN: "1936 1937",
      SRS_HTTP_API_ENABLED: "on",
      SRS_HTTP_SERVER_ENABLED: "off",
      SRS_VHOST_PLAY_MW_LATENCY: "120",
      SRS_VHOST_HTTP_REMUX_ENABLED: "on",
      SRS_LOG_LEVEL: "trace",
      SRS_HTTP_API_AUTH_PASSWORD: "with, spaces",
      SRS_RTC_SERVER_ENABLED: "on",
    },
    path: "a.conf",
    text: "listen 1935;",
    expected: {
      "listen": [{ port: 1936, literal: "1936" }, { port: 1937, literal: "1937" }],
      "http_api/enabled": true,
      "http_server/enabled": false,
      "vhost/__defaultVhost__/play/mw_latency": 120,
      "vhost/__defaultVhost__/http_remux/enabled": true,
      "log_level": "info",
      "http_api/auth/password": "with, spaces",
    },
  },
  {
    name: "nothing by what Kubernetes sets for services called headwater and headwater-edge",
    environment: {
      HEADWATER_PORT: "tcp://10.0.0.1:1935",
      HEADWATER_SERVICE_HOST: "10.0.0.1",
      HEADWATER_SERVICE_PORT: "1935",
      HEADWATER_SERVICE_PORT_RTMP: "1935",
      HEADWATER_SERVICE_PORT_HTTP_API: "1985",
      HEADWATER_PORT_1935_TCP: "tcp://10.0.0.1:1935",
      HEADWATER_PORT_1935_TCP_PROTO: "tcp",
      HEADWATER_PORT_1935_TCP_PORT: "1935",
      HEADWATER_PORT_1935_TCP_ADDR: "10.0.0.1",
      HEADWATER_EDGE_SERVICE_HOST: "10.0.0.2",
      HEADWATER_EDGE_PORT: "udp://10.0.0.2:1935",
      HEADWATER_EDGE_PORT_1935_UDP_ADDR: "10.0.0.2",
    },
    expected: { "listen": [{ port: 1935, literal: "1935" }] },
  },
  {
    name: "nothing by the name of the file",
    environment: { HEADWATER_CONFIG: "b.toml" },
    expected: { "listen": [{ port: 1935, literal: "1935" }] },
  },
  {
    name: "ours before SRS's, and an empty one as none",
    environment: { SRS_LISTEN: "1", HEADWATER_LISTEN: "2", HEADWATER_CHUNK_SIZE: "" },
    expected: { "listen": [{ port: 2, literal: "2" }], "chunk_size": 60000 },
  },
];

for (const { name, environment, text, path, expected } of accepted) {
  Deno.test(`environment: overrides ${name}`, () => {
    const { config } = load(environment, text, path);
    const found = Object.keys(expected).map((key) => [key, valueAt({ ...config }, key.split("/"))]);
    assert.deepEqual(Object.fromEntries(found), expected);
  });
}

const refused: { name: string; environment: Record<string, string>; text?: string; error: string }[] = [
  {
    name: "a wrong value, and names the variable once",
    environment: { HEADWATER_VHOST_PLAY_GOP_CACHE: "maybe" },
    text: "[vhost.a]\n[vhost.b]",
    error: "environment variable HEADWATER_VHOST_PLAY_GOP_CACHE: Cannot use vhost.a.play.gop_cache: " +
      'value is "maybe", must be true or false',
  },
  {
    name: "a wrong value of SRS's",
    environment: { SRS_MAX_CONNECTIONS: "many" },
    error: "environment variable SRS_MAX_CONNECTIONS: Cannot use max_connections: " +
      'value is "many", must be a whole number from 1 to 1000000',
  },
  {
    name: "a switch of SRS's that is neither on nor off",
    environment: { SRS_HTTP_API_ENABLED: "true" },
    error: "environment variable SRS_HTTP_API_ENABLED: Cannot use http_api.enabled: " +
      'value is "true", must be on or off',
  },
  {
    name: "a port without a service",
    environment: { HEADWATER_PORT: "1935" },
    error: "environment variable HEADWATER_PORT: unknown name 'HEADWATER_PORT'",
  },
  {
    name: "every mistake of variables and file at once",
    environment: { HEADWATER_CHUNK_SIZ: "1", HEADWATER_LOG_LEVEL: "loud" },
    text: "nope = 1",
    error: "environment variable HEADWATER_CHUNK_SIZ: unknown name 'HEADWATER_CHUNK_SIZ': " +
      "did you mean 'HEADWATER_CHUNK_SIZE'?\n" +
      "environment variable HEADWATER_LOG_LEVEL: Cannot use log_level: " +
      'value is "loud", must be one of trace, debug, info, warn, error\n' +
      "a.toml:1: unknown key 'nope'",
  },
  {
    name: "an unknown name",
    environment: { HEADWATER_HTTP_API_LISTENS: "1" },
    error: "environment variable HEADWATER_HTTP_API_LISTENS: unknown name 'HEADWATER_HTTP_API_LISTENS': " +
      "did you mean 'HEADWATER_HTTP_API_LISTEN'?",
  },
  {
    name: "what clashes with the file",
    environment: { HEADWATER_LISTEN: "8080" },
    text: "[http_server]\nlisten = 8080",
    error: "a.toml:2: Cannot use http_server.listen: port 8080 is taken by listen",
  },
];

for (const { name, environment, text, error } of refused) {
  Deno.test(`environment: refuses ${name}`, () => {
    assert.throws(() => load(environment, text), { name: "ConfigError", message: error });
  });
}

Deno.test("environment: every key has a variable of its own", () => {
  const names = CONFIG_KEYS.map(({ path }) => variableName(path));
  assert.equal(new Set(names).size, names.length);
});

Deno.test("a variable holds rules of several words each, with a comma or semicolon between", () => {
  const { config } = loadConfig({
    path: "a.toml",
    environment: {
      HEADWATER_VHOST_SECURITY_ENABLED: "on",
      HEADWATER_VHOST_SECURITY_RULES: "allow publish 10.0.0.0/8, deny publish 10.1.0.0/16;allow play all",
    },
    readTextFile: () => "[vhost.a]",
  });
  assert.deepEqual(config.vhost["a"]?.security, {
    enabled: true,
    rules: ["allow publish 10.0.0.0/8", "deny publish 10.1.0.0/16", "allow play all"],
  });
});
