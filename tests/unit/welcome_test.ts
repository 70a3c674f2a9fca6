import assert from "node:assert/strict";
import { ListenError } from "../../lib/base/listen_error.ts";
import type { Config } from "../../lib/config/config.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { portAdvice } from "../../lib/app/port_advice.ts";
import { VERSION } from "../../lib/app/version.ts";
import { welcome } from "../../lib/app/welcome.ts";

const NO_TLS = { exporter: [], rtmps: [], httpsApi: [], httpsServer: [] };

function configOf(text: string): Config {
  return loadConfig({ path: "a.toml", environment: {}, readTextFile: () => text }).config;
}

Deno.test("a first start says in five lines what listens, how to publish and play, and where the pages are", () => {
  const text = welcome(configOf(""), "built-in defaults", {
    rtmp: [{ hostname: "0.0.0.0", port: 1935 }],
    httpApi: [{ hostname: "0.0.0.0", port: 1985 }],
    httpServer: [{ hostname: "0.0.0.0", port: 8080 }],
    ...NO_TLS,
  });
  assert.equal(
    text,
    `headwater ${VERSION} is running with built-in defaults
  listens  RTMP on port 1935, HTTP-FLV on port 8080, HTTP API on port 1985
  publish  ffmpeg -re -i video.mp4 -c copy -f flv rtmp://localhost/live/stream
  play     ffplay rtmp://localhost/live/stream   or   ffplay http://localhost:8080/live/stream.flv
  pages    players http://localhost:8080/players/   console http://localhost:1985/console/
`,
  );
});

Deno.test("a first start says where TLS is spoken", () => {
  const text = welcome(configOf(""), "a.toml", {
    rtmp: [{ hostname: "127.0.0.1", port: 1935 }],
    httpApi: [],
    httpServer: [],
    exporter: [{ hostname: "0.0.0.0", port: 9972 }],
    rtmps: [{ hostname: "0.0.0.0", port: 443 }],
    httpsServer: [{ hostname: "0.0.0.0", port: 8088 }],
    httpsApi: [{ hostname: "0.0.0.0", port: 1990 }],
  });
  assert.match(
    text,
    /^ {2}listens {2}RTMP on 127\.0\.0\.1:1935, metrics on port 9972, TLS: RTMPS on port 443, HTTPS-FLV on port 8088, HTTPS API on port 1990$/m,
  );
});

Deno.test("what is switched off is not offered, and addresses are those that were bound", () => {
  const text = welcome(configOf(""), "a.toml", {
    rtmp: [{ hostname: "::1", port: 1936 }],
    httpApi: [],
    httpServer: [],
    ...NO_TLS,
  });
  assert.equal(
    text,
    `headwater ${VERSION} is running with a.toml
  listens  RTMP on [::1]:1936
  publish  ffmpeg -re -i video.mp4 -c copy -f flv rtmp://[::1]:1936/live/stream
  play     ffplay rtmp://[::1]:1936/live/stream
`,
  );
});

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

const inUse = named("AddrInUse", "Address already in use");

const advice: { name: string; config: string; error: ListenError; expected: string }[] = [
  {
    name: "RTMP",
    config: "",
    error: new ListenError({ hostname: "0.0.0.0", port: 1935 }, inUse),
    expected: "Cannot listen on port 1935: it is already in use; " +
      "set listen in the configuration or HEADWATER_LISTEN to another port",
  },
  {
    name: "the HTTP API on one address",
    config: 'http_api.listen = "127.0.0.1:1985"',
    error: new ListenError({ hostname: "127.0.0.1", port: 1985 }, inUse),
    expected: "Cannot listen on port 1985: it is already in use; " +
      "set http_api.listen in the configuration or HEADWATER_HTTP_API_LISTEN to another port",
  },
  {
    name: "a port that takes rights",
    config: "http_server.listen = 80",
    error: new ListenError(
      { hostname: "0.0.0.0", port: 80 },
      named("PermissionDenied", "Permission denied (os error 13)"),
    ),
    expected: "Cannot listen on 0.0.0.0:80: permission denied: the user may not bind this port; " +
      "set http_server.listen in the configuration or HEADWATER_HTTP_SERVER_LISTEN to another port",
  },
  {
    name: "an address of another machine",
    config: 'listen = "203.0.113.5:1935"',
    error: new ListenError(
      { hostname: "203.0.113.5", port: 1935 },
      named("AddrNotAvailable", "Cannot assign requested address (os error 99)"),
    ),
    expected: "Cannot listen on 203.0.113.5:1935: it is not an address of this machine; set listen in the " +
      "configuration or HEADWATER_LISTEN to an address of this machine, or to the port alone for all of them",
  },
  {
    name: "a name that nobody knows",
    config: 'listen = "nohost:1935"',
    error: new ListenError(
      { hostname: "nohost", port: 1935 },
      new Error("failed to lookup address information: Name or service not known"),
    ),
    expected:
      "Cannot listen on nohost:1935: the host name cannot be resolved; set listen in the configuration " +
      "or HEADWATER_LISTEN to an address of this machine, or to the port alone for all of them",
  },
  {
    name: "anything else",
    config: "",
    error: new ListenError({ hostname: "0.0.0.0", port: 1935 }, new Error("Out of buffers")),
    expected: "Cannot listen on 0.0.0.0:1935: Out of buffers; " +
      "check listen in the configuration or HEADWATER_LISTEN",
  },
];

for (const { name, config, error, expected } of advice) {
  Deno.test(`a port that can't be had is one sentence with the way out: ${name}`, () => {
    assert.equal(portAdvice(error, configOf(config)), expected);
  });
}
