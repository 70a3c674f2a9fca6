/**
 * nginx in front, as operators have it, on 127.0.0.1, which is trusted. Its clients come from 127.0.0.2: another nginx between, that
 * says nothing, gives them that address.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { freePort } from "../../bench/servers.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { startNginx } from "./nginx_rtmp.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments, publishFile } from "./publish_file.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const CLIENT = "127.0.0.2";
const TRUSTING = `trusted_proxies = ["127.0.0.1"]`;

/** A port behind which a proxy passes on to another, given that port and the one that it is to listen on. */
async function behind(
  scope: TestScope,
  proxy: (listen: number) => string,
): Promise<number> {
  const [clients, listen] = [freePort(), freePort()];
  await startNginx(
    scope,
    "nginx-stream",
    clients,
    `stream { server { listen 127.0.0.1:${clients}; proxy_bind ${CLIENT}; proxy_pass 127.0.0.1:${listen}; } }
${proxy(listen)}`,
  );
  return clients;
}

/** nginx's `stream`, with a PROXY header. */
function stream(scope: TestScope, port: number): Promise<number> {
  const [clients, listen] = [freePort(), freePort()];
  return startNginx(
    scope,
    "nginx-stream",
    clients,
    `stream {
  server { listen 127.0.0.1:${clients}; proxy_bind ${CLIENT}; proxy_pass 127.0.0.1:${listen}; }
  server { listen 127.0.0.1:${listen}; proxy_pass 127.0.0.1:${port}; proxy_protocol on; }
}`,
  ).then(() => clients);
}

/** nginx's `http`, which says who asked in a header. */
function http(scope: TestScope, port: number): Promise<number> {
  return behind(scope, (listen) =>
    `http {
  access_log off;
  client_body_temp_path ${scope.path("body")};
  proxy_temp_path ${scope.path("proxy")};
  fastcgi_temp_path ${scope.path("fastcgi")};
  uwsgi_temp_path ${scope.path("uwsgi")};
  scgi_temp_path ${scope.path("scgi")};
  server {
    listen 127.0.0.1:${listen};
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_buffering off;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}`);
}

/** Type and address of who publishes and plays, by the API. */
async function clients(server: ServerProcess): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${server.port("httpApi")}/api/v1/clients/`);
  const { clients } = await response.json();
  return clients.map(({ ip, type }: { ip: string; type: string }) => `${type} ${ip}`).sort();
}

programTest(
  ["ffmpeg", "ffprobe", "nginx-stream"],
  "behind nginx's stream module a publisher has its own address, rules of access and limit",
  async (scope) => {
    const server = await scope.startServer({
      config: `${TRUSTING}
max_connections_per_ip = 1
[vhost.__defaultVhost__.security]
enabled = true
rules = ["allow publish ${CLIENT}", "allow play all"]`,
    });
    const port = await stream(scope, server.port("rtmp"));
    const url = `rtmp://127.0.0.1:${port}/live/a`;
    const source = await mediaFile("av.flv");
    scope.start("ffmpeg", ...publishArguments(source, url));
    const started = await server.line(({ message }) => message === "Publish started");
    match(String(started["peer"]), /^127\.0\.0\.2:\d+$/);
    deepEqual(await clients(server), [`fmle-publish ${CLIENT}`]);
    // Of the same address another one is one too many; who comes without a proxy is another.
    equal((await scope.start("ffprobe", "-v", "error", url).finish()).code, 1);
    await server.line(({ message }) => message.startsWith("Connections refused"));
    deepEqual(await describeStreams(scope, server.url("live/a")), await describeStreams(scope, source));
  },
);

for (const [name, proxy] of [["stream", stream], ["http", http]] as const) {
  programTest(
    ["ffmpeg", "nginx-stream"],
    `behind nginx's ${name} module a player of HTTP-FLV has its own address, and its limit`,
    async (scope) => {
      const server = await scope.startServer({ config: `${TRUSTING}\nmax_connections_per_ip = 3` });
      await publishFile(scope, server, await mediaFile("av.flv"));
      const port = await proxy(scope, server.port("httpServer"));
      const play = () =>
        fetch(`http://127.0.0.1:${port}/live/a.flv`, { headers: { "X-Forwarded-For": "127.0.0.1" } });
      const plays = [await play(), await play(), await play()];
      scope.onClose(() => Promise.all(plays.map(({ body }) => body?.cancel())).then(() => {}));
      deepEqual(plays.map(({ status }) => status), [200, 200, 200]);
      const started = await server.line(({ message }) => message === "Play started");
      match(String(started["peer"]), /^127\.0\.0\.2/);
      deepEqual(await clients(server), [...Array(3).fill(`flv-play ${CLIENT}`), "fmle-publish 127.0.0.1"]);
      const refused = await play();
      equal(refused.status, 503);
      match(await refused.text(), /3 from 127\.0\.0\.2 are open, limit per address is 3/);
    },
  );
}
