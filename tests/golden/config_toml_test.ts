import assert from "node:assert/strict";
import { httpsListens, sharesPort } from "../../lib/config/config_checks.ts";
import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig, type LoadedConfig } from "../../lib/config/config_load.ts";
import { valueAt } from "../../lib/config/raw_config.ts";

function load(text: string): LoadedConfig {
  return loadConfig({ path: "a.toml", environment: {}, readTextFile: () => text });
}

function values(text: string, paths: readonly string[]): Record<string, unknown> {
  const { config } = load(text);
  // A vhost's name has dots of its own, so paths are split at slashes.
  return Object.fromEntries(paths.map((path) => [path, valueAt({ ...config }, path.split("/"))]));
}

const accepted: { name: string; text: string; expected: Record<string, unknown> }[] = [
  {
    name: "nothing: the defaults and one vhost",
    text: "",
    expected: {
      "listen": [{ port: 1935, literal: "1935" }],
      "chunk_size": 60000,
      "http_api/enabled": true,
      "http_server/enabled": true,
      "vhost/__defaultVhost__/play/mw_latency": "auto",
      "vhost/__defaultVhost__/chunk_size": 60000,
      "vhost/__defaultVhost__/cluster/origin_cluster": false,
    },
  },
  {
    name: "every form of a listen",
    text: `listen = [1935, "1936", "127.0.0.1:1937", "[::1]:1938", "localhost:1939"]`,
    expected: {
      "listen": [
        { port: 1935, literal: "1935" },
        { port: 1936, literal: "1936" },
        { hostname: "127.0.0.1", port: 1937, literal: "127.0.0.1:1937" },
        { hostname: "::1", port: 1938, literal: "[::1]:1938" },
        { hostname: "localhost", port: 1939, literal: "localhost:1939" },
      ],
    },
  },
  {
    name: "both wildcards are one listen on every address",
    text: `listen = ["0.0.0.0:1935", "[::]:1935", 1936, "[::]:1936", "[::]:1937"]`,
    expected: {
      "listen": [
        { port: 1935, literal: "0.0.0.0:1935" },
        { port: 1936, literal: "1936" },
        { hostname: "::", port: 1937, literal: "[::]:1937" },
      ],
    },
  },
  {
    name: "the server's chunk size is that of a vhost without one",
    text: "chunk_size = 4096\n[vhost.a]\n[vhost.b]\nchunk_size = 128",
    expected: { "vhost/a/chunk_size": 4096, "vhost/b/chunk_size": 128, "vhost/__defaultVhost__": undefined },
  },
  {
    name: "min_latency sets the latencies that are auto",
    text: "[vhost.a]\nmin_latency = true\nplay.mw_latency = 20",
    expected: { "vhost/a/play/mw_latency": 20, "vhost/a/publish/mr_latency": 0 },
  },
  {
    name: "a cluster and an edge",
    text: `[vhost.__defaultVhost__.cluster]
origin_cluster = true
coworkers = ["127.0.0.1:9091", "node-b", "[::1]:9092"]
redirect = 302
[vhost."edge.example.com".cluster]
mode = "remote"
origin = ["10.0.0.1:1935", "10.0.0.2"]`,
    expected: {
      "vhost/__defaultVhost__/cluster/coworkers": ["127.0.0.1:9091", "node-b", "[::1]:9092"],
      "vhost/__defaultVhost__/cluster/redirect": "302",
      "vhost/edge.example.com/cluster/mode": "remote",
      "vhost/edge.example.com/cluster/vhost": "[vhost]",
    },
  },
];

for (const { name, text, expected } of accepted) {
  Deno.test(`TOML configuration: ${name}`, () => {
    assert.deepEqual(values(text, Object.keys(expected)), expected);
  });
}

const refused: { name: string; text: string; error: string }[] = [
  {
    name: "unknown key at the root",
    text: "listen = 1935\nchunk_sise = 60000",
    error: "a.toml:2: unknown key 'chunk_sise': did you mean 'chunk_size'?",
  },
  {
    name: "unknown key in a quoted vhost's section",
    text: `[http_api]\nlisten = 1985\n\n[vhost."edge.example.com".cluster]\nmode = "local"\ncoworker = []`,
    error: "a.toml:6: unknown key 'coworker': did you mean 'coworkers'?",
  },
  {
    name: "unknown section",
    text: "[http_sever]\nlisten = 8080",
    error: "a.toml:1: unknown key 'http_sever': did you mean 'http_server'?",
  },
  {
    name: "a known key in the wrong place",
    text: "gop_cache = false",
    error: "a.toml:1: unknown key 'gop_cache': did you mean 'vhost.NAME.play.gop_cache'?",
  },
  {
    name: "several issues, in the order of the file",
    text: `chunk_size = 64\nlog_level = "loud"\n[http_api]\nenabled = "yes"`,
    error: "a.toml:1: Cannot use chunk_size: value is 64, must be a whole number from 128 to 65536\n" +
      'a.toml:2: Cannot use log_level: value is "loud", must be one of trace, debug, info, warn, error\n' +
      'a.toml:4: Cannot use http_api.enabled: value is "yes", must be true or false',
  },
  {
    name: "tokens without a key, with two, and with a secret that can be guessed",
    text:
      `[vhost.a.tokens]\nenabled = true\n[vhost.b.tokens]\nenabled = true\nsecret = "${"s".repeat(32)}"\n` +
      'jwks = "https://a/"\n[vhost.c.tokens]\nsecret = "0123456789abcdef0123456789abcde"',
    error: "a.toml:2: Cannot use vhost.a.tokens: enabled without secret, public_key or jwks\n" +
      "a.toml:6: Cannot use vhost.b.tokens: secret and jwks are given, only one can be used\n" +
      "a.toml:8: Cannot use vhost.c.tokens.secret: it has 31 bytes, must have at least 32 (openssl rand -hex 32 prints one)",
  },
  {
    name: "a JWKS that is no web page, and a parameter that no URL can have",
    text: '[vhost.a.tokens]\njwks = "file:///etc/passwd"\nparameter = "a=b"',
    error: "a.toml:2: Cannot use vhost.a.tokens.jwks: value is hidden, must be an http:// or https:// URL\n" +
      'a.toml:3: Cannot use vhost.a.tokens.parameter: value is "a=b", must be a name of letters, digits, _, . and -',
  },
  {
    name: "a listen that is none",
    text: 'listen = "1.2.3:99999"',
    error: 'a.toml:1: Cannot use listen: value is "1.2.3:99999", must be PORT, "IP:PORT" or "[IPv6]:PORT", ' +
      "PORT up to 65535",
  },
  {
    name: "an address in the middle of a list",
    text:
      `[vhost.a.cluster]\norigin_cluster = true\ncoworkers = [ # ours\n  "a:1",\n  "http://b:2",\n  "c:3",\n]`,
    error:
      `a.toml:5: Cannot use vhost.a.cluster.coworkers: value is "http://b:2", must be a list of "host:port"`,
  },
  {
    name: "a dotted key",
    text: `vhost.a.play = { gop_cache = true, mw_latency = -1 }`,
    error:
      'a.toml:1: Cannot use vhost.a.play.mw_latency: value is -1, must be "auto" or a whole number from 0 ' +
      "to 60000",
  },
  {
    name: "a section that is no table",
    text: "http_api = 1985",
    error: "a.toml:1: Cannot use http_api: value is 1985, must be a table",
  },
  {
    name: "a secret is not shown",
    text: "[vhost.a.cluster]\nsecret = 12345",
    error: "a.toml:2: Cannot use vhost.a.cluster.secret: value is hidden, must be a text",
  },
  {
    name: "a vhost's name with a space",
    text: `[vhost."a b"]`,
    error: "a.toml:1: Cannot use vhost.a b: a vhost's name has no spaces and no slashes",
  },
  {
    name: "a vhost's name with dots that is not quoted",
    text: `[vhost.live.example.com]\nchunk_size = 128\n[vhost.b.c.play]\n[vhost.d.clustre]`,
    error:
      `a.toml:1: unknown key 'example': a vhost's name with dots needs quotes, as in [vhost."live.example.com"]\n` +
      `a.toml:3: unknown key 'c': a vhost's name with dots needs quotes, as in [vhost."b.c"]\n` +
      "a.toml:4: unknown key 'clustre': did you mean 'cluster'?",
  },
  {
    name: "a number that is none",
    text: "chunk_size = nan\nmax_connections = -inf\nlisten = [nan]",
    error: "a.toml:1: Cannot use chunk_size: value is nan, must be a whole number from 128 to 65536\n" +
      "a.toml:2: Cannot use max_connections: value is -inf, must be a whole number from 1 to 1000000\n" +
      'a.toml:3: Cannot use listen: value is nan, must be PORT, "IP:PORT" or "[IPv6]:PORT", PORT up to 65535',
  },
  {
    name: "every mistake, of grammar, names, values and what they mean together",
    text: `chunk_size = = 3
log_level = "loud"
[http_api]
auth.enabled = true
auth.username = "a
listen = 1935
[vhost.a.cluster]
mode = "remote"
[vhost.b.cluster]
mode = "remote"
origins = ["a"]
coworker = []`,
    error: `a.toml:1: Cannot read TOML: invalid value
a.toml:2: Cannot use log_level: value is "loud", must be one of trace, debug, info, warn, error
a.toml:5: Cannot read TOML: control characters are not allowed in strings
a.toml:11: unknown key 'origins': did you mean 'origin'?
a.toml:12: unknown key 'coworker': did you mean 'coworkers'?`,
  },
  {
    name: "values that do not fit each other beside values that are wrong",
    text: `log_level = "loud"\n[http_api]\nlisten = 1935\n[vhost.a.cluster]\nmode = "remote"`,
    error:
      'a.toml:1: Cannot use log_level: value is "loud", must be one of trace, debug, info, warn, error\n' +
      'a.toml:5: Cannot use vhost.a.cluster.mode: value is "remote", needs cluster.origin',
  },
  {
    name: "the rest of a list whose first line is wrong, only once",
    text: `listen = 1\nlisten = [\n  2,\n  3,\n]\nnope = 1`,
    error: "a.toml:2: Cannot read TOML: trying to redefine an already defined table or value",
  },
  {
    name: "a name that resembles none, without a guess",
    text: "bananas = 1",
    error: "a.toml:1: unknown key 'bananas'",
  },
  {
    name: "what is no text",
    text: "listen = 1\0",
    error: "a.toml: Cannot read the configuration: not valid UTF-8 text",
  },
  {
    name: "a syntax error",
    text: "listen = 1935\nchunk_size = = 3",
    error: "a.toml:2: Cannot read TOML: invalid value",
  },
  {
    name: "a key twice",
    text: "listen = 1935\nlisten = 1936",
    error: "a.toml:2: Cannot read TOML: trying to redefine an already defined table or value",
  },
  {
    name: "an edge without origins",
    text: '[vhost.a.cluster]\nmode = "remote"',
    error: 'a.toml:2: Cannot use vhost.a.cluster.mode: value is "remote", needs cluster.origin',
  },
  {
    name: "an edge in an origin cluster",
    text: '[vhost.a.cluster]\nmode = "remote"\norigin = ["b"]\norigin_cluster = true',
    error:
      'a.toml:4: Cannot use vhost.a.cluster.origin_cluster: value is true, not possible in mode "remote"',
  },
  {
    name: "a port that is taken",
    text: 'listen = [1935, "127.0.0.1:1985"]\n[http_api]\nlisten = 1985',
    error: "a.toml:3: Cannot use http_api.listen: port 1985 is taken by listen",
  },
  {
    name: "a port that a default has taken",
    text: "listen = 8080",
    error: "a.toml: Cannot use http_server.listen: port 8080 is taken by listen",
  },
  {
    name: "less buffer than a message needs",
    text: "[limits]\nbuffered_max_bytes = 1000",
    error: "a.toml:2: Cannot use limits.buffered_max_bytes: value is 1000, must be at least " +
      "limits.message_max_bytes, which is 16777216",
  },
  {
    name: "RTMPS that listens nowhere",
    text: "[rtmps]\nenabled = true",
    error: "a.toml:2: Cannot use rtmps.enabled: value is true, needs rtmps.listen",
  },
  {
    name: "HTTPS of what is off",
    text: "[http_server]\nenabled = false\n[http_server.https]\nenabled = true",
    error: "a.toml:4: Cannot use http_server.https.enabled: value is true, needs http_server.enabled",
  },
  {
    name: "a port that is taken by TLS",
    text: "[rtmps]\nenabled = true\nlisten = 8088\n[http_server.https]\nenabled = true",
    error: "a.toml:4: Cannot use http_server.https.listen: port 8088 is taken by rtmps.listen",
  },
  {
    name: "two HTTPS ports of one HTTP port",
    text:
      "http_server.listen = 1985\nhttp_api.https = { enabled = true, listen = 1991 }\nhttp_server.https = { enabled = true }",
    error:
      "a.toml:2: Cannot use http_api.https.listen: one port serves API and players, so it must be the same as http_server.https.listen",
  },
  {
    name: "a proxy that is no address",
    text: 'trusted_proxies = ["10.0.0.0/33"]',
    error:
      'a.toml:1: Cannot use trusted_proxies: value is "10.0.0.0/33", must be a list of IP addresses and blocks such as "10.0.0.0/8"',
  },
  {
    name: "an origin that is no RTMP server",
    text: '[vhost.a.cluster]\nmode = "remote"\norigin = ["https://b"]',
    error:
      'a.toml:3: Cannot use vhost.a.cluster.origin: value is "https://b", must be a list of "host:port" and "rtmps://host:port"',
  },
  {
    name: "a password that is missing",
    text: '[http_api.auth]\nenabled = true\nusername = "admin"',
    error: "a.toml:2: Cannot use http_api.auth: password is empty",
  },
  {
    name: "credentials that are missing",
    text: "[http_api.auth]\nenabled = true",
    error: "a.toml:2: Cannot use http_api.auth: enabled without a username and a password, or a token",
  },
];

for (const { name, text, error } of refused) {
  Deno.test(`TOML configuration: refuses ${name}`, () => {
    assert.throws(() => load(text), (thrown) => {
      assert.ok(thrown instanceof ConfigError);
      assert.equal(thrown.message, error);
      return true;
    });
  });
}

Deno.test("TOML configuration: lines stay right after strings and comments that look like keys", () => {
  const text = [
    "# [http_api]",
    'server_id = """',
    "[http_api]",
    'listen = 1 \\""" still inside',
    '""""',
    "log_file = '''",
    "a = ]",
    "'''",
    "vhost.'a.b'.cluster . coworkers = [",
    "  'x:1', # ] not the end",
    "  'y:2' ]",
    "[vhost.c]",
    "nope = { x = [[1, 2], [3]], y = '}' }",
    "chunk_size = 1",
  ].join("\r\n");
  assert.throws(
    () => load(text),
    /^ConfigError: a\.toml:13: unknown key 'nope'.*\na\.toml:14: Cannot use vhost\.c/s,
  );
});

Deno.test("TOML configuration: the API and HTTP-FLV share a port when their listens are the same", () => {
  const one = load('[http_api]\nlisten = "127.0.0.1:80"\n[http_server]\nlisten = "127.0.0.1:80"').config;
  assert.equal(sharesPort(one), true);
  assert.equal(sharesPort(load("").config), false);
  const off = load("[http_api]\nenabled = false\nlisten = 8080").config;
  assert.equal(sharesPort(off), false);
});

Deno.test("TOML configuration: what works though it looks wrong is warned of", () => {
  const { warnings } = load('[vhost.a.cluster]\ncoworkers = ["b:1985"]');
  assert.deepEqual(warnings, [
    "vhost a has coworkers but not origin_cluster: it serves its own streams only",
  ]);
});

Deno.test("TOML configuration: proxies that are trusted are warned of TLS ports, where they can't say whom they speak for", () => {
  const tls = "rtmps = { enabled = true, listen = 443 }\n";
  assert.deepEqual(load('trusted_proxies = ["::1", "10.0.0.0/8"]').warnings, []);
  assert.deepEqual(load(`${tls}trusted_proxies = ["10.0.0.0/8"]`).warnings, [
    "trusted_proxies: a PROXY header is not read on TLS ports; let the proxy end TLS and use the plain ports",
  ]);
});

Deno.test("TOML configuration: one HTTPS port serves the API and players where one HTTP port does", () => {
  const both = "http_server.listen = 1985\nhttp_server.https.enabled = true\nhttp_api.https.enabled = true";
  const ports = ({ api, server }: ReturnType<typeof httpsListens>) =>
    [api, server].map((all) => all.map(({ port }) => port));
  assert.deepEqual(ports(httpsListens(load(both).config)), [[8088], []]);
  assert.deepEqual(ports(httpsListens(load("http_api.https.enabled = true").config)), [[1990], []]);
});

for (
  const [text, warning] of [
    [
      "[vhost.defaultVhost.play]\ngop_cache = false",
      "vhost defaultVhost matches that name only, so no client can connect: the vhost that matches any name is __defaultVhost__",
    ],
    [
      '[vhost._defaultVhost_]\n[vhost."a.com"]',
      "vhost _defaultVhost_ matches that name only, so only a client of the other vhosts can connect: " +
      "the vhost that matches any name is __defaultVhost__",
    ],
    ["[vhost.a]\nenabled = false", "no client can connect: every vhost has enabled = false"],
  ] as const
) {
  Deno.test(`TOML configuration: ${JSON.stringify(text)} warns of who is let in`, () => {
    assert.deepEqual(load(text).warnings, [warning]);
  });
}

Deno.test("TOML configuration: a byte order mark is skipped, and columns and lines stay", () => {
  assert.equal(load("\ufeffchunk_size = 200").config.chunk_size, 200);
  assert.throws(() => load("\ufeffchunk_size = 1"), /^ConfigError: a\.toml:1: Cannot use chunk_size/);
});

Deno.test("loadConfig refuses a public key that is none, or not there", () => {
  const text = '[vhost.a.tokens]\nenabled = true\npublic_key = "key.pem"';
  const read = (key: string | undefined) => () =>
    loadConfig({ path: "a.toml", environment: {}, readTextFile: (path) => path === "a.toml" ? text : key });
  const message = (problem: string) => `a.toml:3: Cannot use vhost.a.tokens.public_key: 'key.pem' ${problem}`;
  assert.throws(read(undefined), { name: "ConfigError", message: message("does not exist") });
  assert.throws(read("junk"), { name: "ConfigError", message: message("holds no public key in PEM") });
});

Deno.test("loadConfig warns of tokens that protect nothing, and of keys that can be changed on their way", () => {
  const warnings = (tokens: string) =>
    load(`[vhost.__defaultVhost__.tokens]\nenabled = true\n${tokens}`).warnings;
  assert.deepEqual(warnings('jwks = "http://127.0.0.1/"'), []);
  assert.deepEqual(warnings('jwks = "http://[::1]:80/"'), []);
  assert.match(warnings('jwks = "http://keys.example/"').join(), /gets its tokens\.jwks by http/);
  assert.match(warnings(`publish = false\nsecret = "${"s".repeat(32)}"`).join(), /nobody needs one/);
});

Deno.test("loadConfig reads the file that is named, else that of HEADWATER_CONFIG, else that of SRS_CONFIG_FILE", () => {
  const environment = { HEADWATER_CONFIG: "ours.toml", SRS_CONFIG_FILE: "srs.conf" };
  const readTextFile = (path: string) => path.endsWith(".conf") ? "listen 1;" : "";
  const source = (path: string | undefined, variables: Record<string, string>) =>
    loadConfig({ ...(path === undefined ? {} : { path }), environment: variables, readTextFile }).source;
  assert.equal(source("a.toml", environment), "a.toml");
  assert.equal(source(undefined, environment), "ours.toml");
  assert.equal(source(undefined, { ...environment, HEADWATER_CONFIG: "" }), "srs.conf");
});

Deno.test("loadConfig reads the default file only if it exists", () => {
  const notFound = () => undefined;
  const none = loadConfig({ environment: {}, readTextFile: notFound });
  assert.equal(none.source, "built-in defaults");
  const some = loadConfig({ environment: {}, readTextFile: () => "listen = 1" });
  assert.deepEqual([some.source, some.config.listen], ["conf/headwater.toml", [{ port: 1, literal: "1" }]]);
  assert.throws(
    () => loadConfig({ path: "gone.toml", environment: {}, readTextFile: notFound }),
    { name: "ConfigError", message: "gone.toml: Cannot read the configuration: no such file" },
  );
  const denied = (): never => {
    throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  };
  assert.throws(
    () => loadConfig({ environment: {}, readTextFile: denied }),
    { message: "conf/headwater.toml: Cannot read the configuration: Permission denied (os error 13)" },
  );
});
