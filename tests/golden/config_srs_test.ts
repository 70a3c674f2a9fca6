import assert from "node:assert/strict";
import { loadConfig, type LoadedConfig } from "../../lib/config/config_load.ts";
import { escapeUnprintable } from "../../lib/base/printable.ts";
import { valueAt } from "../../lib/config/raw_config.ts";

function load(text: string, files: Record<string, string> = {}): LoadedConfig {
  const readTextFile = (path: string) => path === "a.conf" ? text : files[path];
  return loadConfig({ path: "a.conf", environment: {}, readTextFile });
}

const VHOST = "vhost/__defaultVhost__";

const accepted: {
  name: string;
  text: string;
  files?: Record<string, string>;
  expected: Record<string, unknown>;
  warnings?: string[];
}[] = [
  {
    // As origin.cluster.serverA.conf.
    name: "a node of an origin cluster",
    text: `# three origins on one machine
listen              19350;
max_connections     1000;
daemon              off;
srs_log_tank        console;
pid                 ./objs/node_a.pid;
http_api {
    enabled         on;
    listen          9090;
}
vhost __defaultVhost__ {
    cluster {
        mode            local;
        origin_cluster  on;
        coworkers       127.0.0.1:9091 127.0.0.1:9092;
    }
}
`,
    expected: {
      "listen": [{ port: 19350, literal: "19350" }],
      "max_connections": 1000,
      "log_file": "",
      "pid": "./objs/node_a.pid",
      "http_api/enabled": true,
      "http_api/listen": [{ port: 9090, literal: "9090" }],
      "http_server/enabled": false,
      [`${VHOST}/cluster/mode`]: "local",
      [`${VHOST}/cluster/origin_cluster`]: true,
      [`${VHOST}/cluster/coworkers`]: ["127.0.0.1:9091", "127.0.0.1:9092"],
      [`${VHOST}/http_remux/enabled`]: false,
      [`${VHOST}/play/mw_latency`]: "auto",
    },
  },
  {
    // As edge.conf.
    name: "an edge with HTTP-FLV",
    text: `listen 1935;
http_server { enabled on; listen 8080; dir ./objs/nginx/html; }
vhost __defaultVhost__ {
    cluster { mode remote; origin 127.0.0.1:19351 127.0.0.1; }
    http_remux { enabled on; mount [vhost]/[app]/[stream].flv; }
}`,
    expected: {
      "http_api/enabled": false,
      "http_server/enabled": true,
      [`${VHOST}/cluster/mode`]: "remote",
      [`${VHOST}/cluster/origin`]: ["127.0.0.1:19351", "127.0.0.1"],
      [`${VHOST}/http_remux/enabled`]: true,
      [`${VHOST}/http_remux/mount`]: "[vhost]/[app]/[stream].flv",
    },
    warnings: ["a.conf: ignored, not supported: http_server.dir (line 2)"],
  },
  {
    // As prometheus.conf.
    name: "an exporter",
    text: `listen 1935;
exporter { enabled on; listen 9972; label cn-beijing; tag cn-edge; }
vhost __defaultVhost__ { }`,
    expected: {
      "exporter/enabled": true,
      "exporter/listen": [{ port: 9972, literal: "9972" }],
      "exporter/label": "cn-beijing",
      "exporter/tag": "cn-edge",
    },
  },
  {
    // As http.heartbeat.conf.
    name: "heartbeats",
    text: `listen 1935;
heartbeat {
    enabled on; interval 9.3; url http://127.0.0.1:8085/api/v1/servers;
    device_id "my-srs-device"; summaries off; ports on;
}
vhost __defaultVhost__ { }`,
    expected: {
      "heartbeat/enabled": true,
      "heartbeat/interval_ms": 9300,
      "heartbeat/url": "http://127.0.0.1:8085/api/v1/servers",
      "heartbeat/device_id": "my-srs-device",
      "heartbeat/summaries": false,
      "heartbeat/ports": true,
    },
  },
  {
    // As http.api.auth.conf of SRS 7.
    name: "an API with a password",
    text: `rtmp {
    listen              1936;
    chunk_size          4096;
}
http_api {
    enabled         on;
    auth {
        enabled         on;
        type            basic;
        username        admin;
        password        admin;
        token           unused;
    }
}`,
    expected: {
      "listen": [{ port: 1936, literal: "1936" }],
      "chunk_size": 4096,
      "http_api/auth/enabled": true,
      "http_api/auth/username": "admin",
      "http_api/auth/password": "admin",
      "http_api/auth/token": "",
    },
  },
  {
    // As http.api.auth.bearer.conf.
    name: "an API with a token",
    text: `listen 1935;
http_api {
    enabled on;
    auth { enabled on; type bearer; token srs-api-token; username admin; password admin; rtc_bearer_enabled off; }
}`,
    expected: {
      "http_api/auth/enabled": true,
      "http_api/auth/username": "",
      "http_api/auth/password": "",
      "http_api/auth/token": "srs-api-token",
    },
  },
  {
    // As rtmp.kickoff.conf.
    name: "publishers that nobody plays",
    text: "listen 1935; daemon off; vhost __defaultVhost__ { publish { kickoff_for_idle 60000; } }",
    expected: { [`${VHOST}/publish/kickoff_for_idle`]: 60_000 },
  },
  {
    name: "no vhost: one that takes every name, with SRS's defaults",
    text: "listen 1935;",
    expected: { [`${VHOST}/http_remux/enabled`]: false, [`${VHOST}/enabled`]: true },
  },
  {
    name: "vhosts without the default one: only those",
    text: "listen 1935; vhost a.com { } vhost b.com { enabled off; }",
    expected: { "vhost/a.com/enabled": true, "vhost/b.com/enabled": false, [VHOST]: undefined },
  },
  {
    name: "quotes, comments, CRLF and blocks on one line",
    text:
      "# first\r\nlisten '1935' \"1936\";# last\r\nserver_id a#b;\r\npid 'a ; { # b';vhost \"a.com\" {play{gop_cache off;}}\r\n",
    expected: {
      "listen": [{ port: 1935, literal: "1935" }, { port: 1936, literal: "1936" }],
      "server_id": "a#b",
      "pid": "a ; { # b",
      "vhost/a.com/play/gop_cache": false,
    },
  },
  {
    name: "a name that is cut off by the end of its line",
    text: "listen\n 1936;",
    expected: { "listen": [{ port: 1936, literal: "1936" }] },
  },
  {
    name: "an empty quoted argument as none",
    text: `listen "" 1937;server_id "";`,
    expected: { "listen": [{ port: 1937, literal: "1937" }], "server_id": "" },
  },
  {
    name: "a byte order mark, in an included file too",
    text: "\ufefflisten 1935;\ninclude b.conf;",
    files: { "b.conf": "\ufeffchunk_size 200;" },
    expected: { "chunk_size": 200 },
  },
  {
    name: "switches",
    text: `listen 1935; http_api { enabled on; crossdomain off; }
vhost a { enabled off; tcp_nodelay on; play { gop_cache off; } cluster { debug_srs_upnode off; } }`,
    expected: {
      "http_api/enabled": true,
      "http_api/crossdomain": false,
      "vhost/a/enabled": false,
      "vhost/a/tcp_nodelay": true,
      "vhost/a/play/gop_cache": false,
      "vhost/a/cluster/debug_srs_upnode": false,
    },
    warnings: ["no client can connect: every vhost has enabled = false"],
  },
  {
    // As demo.conf.
    name: "a directive that says the same twice",
    text: "listen 1935; max_connections 100; max_connections 100;",
    expected: { "max_connections": 100 },
  },
  {
    name: "directives of which there may be several",
    text: `listen 1935;
vhost __defaultVhost__ {
  security { enabled on; allow play all; allow publish 10.0.0.1; deny publish all; }
  transcode a { enabled off; engine x { } engine y { } }
  transcode b { enabled off; }
  ingest c { } ingest d { }
}`,
    expected: {
      [`${VHOST}/security/enabled`]: true,
      [`${VHOST}/security/rules`]: ["allow play all", "allow publish 10.0.0.1", "deny publish all"],
    },
    warnings: [
      "a.conf: ignored, not supported: vhost.transcode (line 4), " +
      "vhost.transcode (line 5), vhost.ingest (line 6)",
    ],
  },
  {
    name: "numbers with something behind them",
    text: "listen 1935; chunk_size 4096b; vhost a { publish { kickoff_for_idle 0.5; } }",
    expected: { "chunk_size": 4096, "vhost/a/publish/kickoff_for_idle": 1 },
  },
  {
    name: "log directives",
    text: "listen 1935; srs_log_level trace; srs_log_file ./a.log;",
    expected: { "log_level": "info", "log_file": "./a.log" },
  },
  {
    name: "the newer log level before the older, and the console before a file",
    text: "listen 1935; srs_log_level error; srs_log_level_v2 trace; srs_log_tank console; srs_log_file a;",
    expected: { "log_level": "trace", "log_file": "" },
  },
  {
    name: "merged read and write",
    text: `listen 1935;
vhost a { play { mw_latency 100; } publish { mr on; } }
vhost b { min_latency on; publish { mr on; mr_latency 20; } }
vhost c { publish { mr off; mr_latency 20; } }
vhost d { publish { mr_latency 20; } }`,
    expected: {
      "vhost/a/play/mw_latency": 100,
      "vhost/a/publish/mr_latency": 350,
      "vhost/b/play/mw_latency": 0,
      "vhost/b/publish/mr_latency": 20,
      "vhost/c/publish/mr_latency": 0,
      "vhost/d/publish/mr_latency": "auto",
    },
  },
  {
    name: "the flat vhosts of older versions",
    text: `listen 1935; http_stream { enabled on; listen 8081; }
vhost a {
  gop_cache off; queue_length 10; mw_latency 200; mode remote; origin b:1; vhost c;
  publish_1stpkt_timeout 1000; publish_normal_timeout 2000;
  mr { enabled on; latency 50; }
  play { queue_length 20; }
  http_remux { enabled on; hstrs on; }
}`,
    expected: {
      "http_server/listen": [{ port: 8081, literal: "8081" }],
      "vhost/a/play/gop_cache": false,
      "vhost/a/play/queue_length": 10,
      "vhost/a/play/mw_latency": 200,
      "vhost/a/cluster/mode": "remote",
      "vhost/a/cluster/origin": ["b:1"],
      "vhost/a/cluster/vhost": "c",
      "vhost/a/publish/firstpkt_timeout": 1000,
      "vhost/a/publish/normal_timeout": 2000,
      "vhost/a/publish/mr_latency": 50,
    },
  },
  {
    name: "includes, which may include",
    text: "include ./root.conf ./vhost.conf;\nvhost b { include b.conf; }",
    files: {
      "./root.conf": "listen 1940;\n",
      "./vhost.conf": "vhost a { chunk_size 200; }\n\nff_log_dir x;",
      "b.conf": "include c.conf;",
      "c.conf": "chunk_size 300;",
    },
    expected: {
      "listen": [{ port: 1940, literal: "1940" }],
      "vhost/a/chunk_size": 200,
      "vhost/b/chunk_size": 300,
    },
    warnings: ["a.conf: ignored, not supported: ff_log_dir (./vhost.conf line 3)"],
  },
  {
    name: "directives that are not here, in one warning",
    text: `listen 1935; daemon on;
rtc_server { enabled on; }
vhost a {
  hls { enabled on; hls_path x; }
  play { atc on; }
  exec { enabled on; }
  cluster { protocol rtmp; }
}
http_api { raw_api { allow_query on; } }`,
    expected: {},
    warnings: [
      "a.conf: ignored, not supported: daemon (line 1), rtc_server (line 2), vhost.hls (line 4), " +
      "vhost.play.atc (line 5), vhost.exec (line 6), http_api.raw_api (line 9)",
    ],
  },
  {
    name: "forward, as SRS has it and as it was before SRS 3",
    text: `listen 1935;
vhost a { forward { enabled on; destination 127.0.0.1:19350 [::1]:19351 slave; } }
vhost b { forward b:1935 rtmps://c/live/key?a=b&c=d; }
vhost c { forward { enabled on; backend http://127.0.0.1:8085/api/v1/forward; rtmps on; } }`,
    expected: {
      "vhost/a/forward/enabled": true,
      "vhost/a/forward/destination": ["127.0.0.1:19350", "[::1]:19351", "slave"],
      "vhost/b/forward/enabled": true,
      "vhost/b/forward/destination": ["b:1935", "rtmps://c/live/key?a=b&c=d"],
      "vhost/c/forward/backend": "http://127.0.0.1:8085/api/v1/forward",
      "vhost/c/forward/rtmps": true,
    },
  },
  {
    name: "SRS 7's blocks for RTMP and RTMPS, and HTTPS",
    text: `rtmp { listen 1936; }
rtmps { enabled on; listen 1443 8443; key a.key; cert a.crt; }
http_api { enabled on; https { enabled on; } }
http_server { enabled on; https { enabled on; listen 8444; key ./b.key; cert ./b.crt; } }`,
    expected: {
      "listen": [{ port: 1936, literal: "1936" }],
      "rtmps/enabled": true,
      "rtmps/listen": [{ port: 1443, literal: "1443" }, { port: 8443, literal: "8443" }],
      "rtmps/key": "a.key",
      "http_api/https/listen": [{ port: 1990, literal: "1990" }],
      "http_api/https/cert": "./conf/server.crt",
      "http_server/https/listen": [{ port: 8444, literal: "8444" }],
      "http_server/https/cert": "./b.crt",
    },
  },
  {
    name: "a mount that is not FLV",
    text: "listen 1935;\nvhost a { http_remux { enabled on;\nmount [vhost]/[app]/[stream].ts; } }",
    expected: { "vhost/a/http_remux/enabled": false },
    warnings: ["a.conf:3: http_remux of vhost a is off: only .flv mounts are supported"],
  },
];

for (const { name, text, files, expected, warnings } of accepted) {
  Deno.test(`SRS configuration: ${name}`, () => {
    const loaded = load(text, files);
    const found = Object.keys(expected).map((key) => [key, valueAt({ ...loaded.config }, key.split("/"))]);
    assert.deepEqual(Object.fromEntries(found), expected);
    assert.deepEqual(loaded.warnings, warnings ?? []);
  });
}

const refused: { name: string; text: string; files?: Record<string, string>; error: string }[] = [
  {
    name: "a name that SRS does not know",
    text: "listen 1935;\n\nmax_connection 10;",
    error: "a.conf:3: unknown directive 'max_connection': did you mean 'max_connections'?",
  },
  {
    name: "such a name in a block that is included",
    text: "listen 1935;\nvhost a {\ninclude b.conf; }",
    files: { "b.conf": "cluster {\n  mode local;\n  coworker a:1;\n}" },
    error: "b.conf:3: unknown directive 'coworker': did you mean 'coworkers'?",
  },
  {
    name: "a block's brace on a line of its own",
    text: "listen 1935;\nvhost a\n{ }",
    error: "a.conf:2: unexpected end of line after 'vhost a', expecting ';' or '{'",
  },
  {
    name: "a line without its semicolon",
    text: "listen 1935\nchunk_size 128;",
    error: "a.conf:1: unexpected end of line after 'listen 1935', expecting ';' or '{'",
  },
  {
    name: "a block that is not closed",
    text: "listen 1935;\nvhost a {\n",
    error: "a.conf:3: unexpected end of file, a block is not closed by '}'",
  },
  { name: "a brace too many", text: "listen 1935;\n}", error: "a.conf:2: unexpected '}'" },
  {
    name: "a statement that does not end",
    text: "listen 1935",
    error: "a.conf:1: unexpected end of file, expecting ';' or '{'",
  },
  { name: "a semicolon alone", text: "listen 1935;;", error: "a.conf:1: unexpected ';'" },
  { name: "a brace behind a word", text: "listen 1935 }", error: "a.conf:1: unexpected '}'" },
  {
    name: "something right behind a quote",
    text: `listen "1935"6;`,
    error: `a.conf:1: unexpected '6' after ", expecting a space, ';' or '{'`,
  },
  {
    name: "a quote that goes on in the next line",
    text: `pid "a\nb";`,
    error: `a.conf:1: a " is not closed on its line\na.conf:2: unknown directive 'b"'`,
  },
  {
    name: "an include that is not there",
    text: "listen 1935;\ninclude gone.conf;",
    error: "a.conf:2: cannot read the included file gone.conf",
  },
  {
    name: "an include of itself",
    text: "include a.conf;",
    error: "a.conf:1: includes nest deeper than 16",
  },
  {
    name: "a number that is none",
    text: "listen 1935;\nmax_connections many;",
    error: 'a.conf:2: Cannot use max_connections: value is "many", must be a whole number from 1 to 1000000',
  },
  {
    name: "a chunk size out of range",
    text: "listen 1935;\nvhost a {\n  chunk_size 64;\n}",
    error:
      "a.conf:3: Cannot use vhost.a.chunk_size: value is 64, must be 0 or a whole number from 128 to 65536",
  },
  {
    name: "an edge without an origin",
    text: "listen 1935;\nvhost a {\n  cluster {\n    mode remote; } }",
    error: 'a.conf:4: Cannot use vhost.a.cluster.mode: value is "remote", needs cluster.origin',
  },
  {
    name: "SRS's list of all directives",
    text: "listen 1935;\nis_full on;",
    error: "a.conf:2: Cannot use SRS's list of all directives as a configuration",
  },
  {
    name: "an empty file",
    text: "# nothing\n",
    error: "a.conf: Cannot use an empty file: nothing says where to listen",
  },
  {
    name: "two http_remux in one vhost",
    text: "listen 1935;\nvhost a { http_remux { }\nhttp_remux { } }",
    error: "a.conf:3: 'http_remux' is set twice, first on line 2",
  },
  {
    name: "a directive, a block and a vhost that are given twice",
    text: "listen 1; listen 2;\nvhost a { chunk_size 128; }\nvhost a { }\nhttp_api { }\ninclude b.conf;",
    files: { "b.conf": "\nhttp_api { }" },
    error: "a.conf:1: 'listen' is set twice, first on line 1\n" +
      "a.conf:3: 'vhost a' is set twice, first on line 2\n" +
      "b.conf:2: 'http_api' is set twice, first in a.conf:4",
  },
  {
    name: "directives without a value, with too many, and with those of another kind",
    text: `listen;
http_api { enabled yes; listen 1985 { } }
vhost a { enabled 1; play; chunk_size 128 256; publish { mr true; } cluster { origin ; } }`,
    error: `a.conf:1: Cannot use listen: it has no value
a.conf:2: Cannot use http_api.enabled: value is "yes", must be on or off
a.conf:2: Cannot use http_api.listen: it takes a value, not a block
a.conf:3: Cannot use vhost.enabled: value is "1", must be on or off
a.conf:3: Cannot use vhost.play: must be a block, 'play { ... }'
a.conf:3: Cannot use vhost.chunk_size: it takes one value, not '128 256'
a.conf:3: Cannot use vhost.publish.mr: value is "true", must be on or off
a.conf:3: Cannot use vhost.cluster.origin: it has no value`,
  },
  ...["\u00a0", "\u3000", "\f", "\v", "\u2028"].map((space) => ({
    name: `white space that SRS does not know: ${JSON.stringify(space)}`,
    text: `listen 1935;\n${space}chunk_size 200;`,
    error: `a.conf:2: unknown directive '${escapeUnprintable(space)}chunk_size': did you mean 'chunk_size'?`,
  })),
  {
    name: "every mistake of a file, of grammar, names and values, in its order",
    text: `listen 1935
max_connection 10;
chunk_size 64;
}
;
vhost a
{
  cluster { mode remote; }
  queue_lenght 10;
  enabled yes;
`,
    error: `a.conf:1: unexpected end of line after 'listen 1935', expecting ';' or '{'
a.conf:2: unknown directive 'max_connection': did you mean 'max_connections'?
a.conf:3: Cannot use chunk_size: value is 64, must be a whole number from 128 to 65536
a.conf:4: unexpected '}'
a.conf:5: unexpected ';'
a.conf:6: unexpected end of line after 'vhost a', expecting ';' or '{'
a.conf:9: unknown directive 'queue_lenght'
a.conf:10: Cannot use vhost.enabled: value is "yes", must be on or off
a.conf:11: unexpected end of file, a block is not closed by '}'`,
  },
  {
    name: "address rules that are none, with their lines",
    text: `listen 1935;
vhost a {
  security {
    enabled on;
    deny publish 10.0.0.0/33;
    allow play all;
    allow all;
  }
}`,
    error: `a.conf:5: Cannot use vhost.a.security.rules: value is "deny publish 10.0.0.0/33": ` +
      `'10.0.0.0/33' is not all, an IP address, or a block such as 10.0.0.0/8
a.conf:7: Cannot use vhost.a.security.rules: value is "allow all": after allow follows publish or play`,
  },
  {
    name: "a name that resembles none, without a guess",
    text: "listen 1935;\nworker_processes 4;\nevents { }",
    error: "a.conf:2: unknown directive 'worker_processes'\na.conf:3: unknown directive 'events'",
  },
  {
    name: "blocks without an end",
    text: "a {".repeat(40),
    error: "a.conf:1: blocks nest deeper than 32\na.conf:1: unknown directive 'a'",
  },
  {
    name: "files that are long together",
    text: "listen 1;\ninclude b.conf b.conf b.conf b.conf b.conf b.conf;",
    files: { "b.conf": "#".repeat(1024 * 1024) },
    error: "a.conf:2: the files together are longer than 4194304 characters",
  },
  {
    name: "files that include each other more and more",
    text: "listen 1;\ninclude b.conf b.conf;",
    files: { "b.conf": "include b.conf b.conf;" },
    error: "b.conf:1: includes nest deeper than 16\nb.conf:1: more than 256 files are included",
  },
];

for (const { name, text, files, error } of refused) {
  Deno.test(`SRS configuration: refuses ${name}`, () => {
    assert.throws(() => load(text, files), { name: "ConfigError", message: error });
  });
}
