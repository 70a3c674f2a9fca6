/**
 * SRS's own samples as they are, beside a certificate made as SRS's documentation has it; only the ports are free ones.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { freePort } from "../../bench/servers.ts";
import { until } from "../fakes/deadline.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import { RunningProgram } from "./running_program.ts";
import { START_ARGUMENTS } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** `conf/rtmps.conf` of SRS 7. */
const RTMPS = `
listen              1935;
max_connections     1000;
daemon              off;
srs_log_tank        console;
rtmps {
    enabled         on;
    listen          1443;
    key             ./conf/server.key;
    cert            ./conf/server.crt;
}
vhost __defaultVhost__ {
}
`;

/** `conf/https.flv.live.conf` of SRS 6. */
const HTTPS_FLV = `
listen              1935;
max_connections     1000;
daemon              off;
srs_log_tank        console;
http_server {
    enabled         on;
    listen          8080;
    dir             ./objs/nginx/html;
    https {
        enabled on;
        listen 8088;
        key ./conf/server.key;
        cert ./conf/server.crt;
    }
}
vhost __defaultVhost__ {
    http_remux {
        enabled     on;
        mount       [vhost]/[app]/[stream].flv;
    }
}
`;

/** Starts a server in a folder of its own, as SRS is started in its own. */
async function start(scope: TestScope, sample: string, ports: Record<string, number>): Promise<void> {
  const folder = scope.path("");
  await Deno.mkdir(scope.path("conf"));
  await RunningProgram.start("sh", [
    "-ec",
    `cd ${folder}/conf; openssl genrsa -out server.key 2048
     openssl req -new -x509 -key server.key -out server.crt -days 3650 -subj "/C=CN/ST=Beijing/L=Beijing/O=Me/OU=Me/CN=ossrs.net"`,
  ]).succeed();
  await Deno.writeTextFile(scope.path("conf/sample.conf"), sample);
  const run = START_ARGUMENTS.map((word) => word === "main.ts" ? `${ROOT}main.ts` : word).join(" ");
  const variables = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, `127.0.0.1:${port}`]),
  );
  const server = RunningProgram.start(
    "sh",
    ["-ec", `cd ${folder}; exec ${Deno.execPath()} ${run} -c conf/sample.conf`],
    variables,
  );
  scope.onClose(async () => {
    await server.kill();
  });
  for (const port of Object.values(ports)) {
    await until(async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    }, `port ${port}`);
  }
}

programTest(["ffmpeg", "ffprobe", "openssl"], "SRS's rtmps.conf serves RTMPS", async (scope) => {
  const ports = { SRS_LISTEN: freePort(), SRS_RTMPS_LISTEN: freePort() };
  await start(scope, RTMPS, ports);
  const source = await mediaFile("av.flv");
  const url = `rtmps://127.0.0.1:${ports.SRS_RTMPS_LISTEN}/live/livestream`;
  scope.start("ffmpeg", ...publishArguments(source, url));
  deepEqual(await describeStreams(scope, url), await describeStreams(scope, source));
});

programTest(
  ["ffmpeg", "ffprobe", "openssl"],
  "SRS's https.flv.live.conf serves HTTP-FLV over HTTPS",
  async (scope) => {
    const ports = {
      SRS_LISTEN: freePort(),
      SRS_HTTP_SERVER_LISTEN: freePort(),
      SRS_HTTP_SERVER_HTTPS_LISTEN: freePort(),
    };
    await start(scope, HTTPS_FLV, ports);
    const source = await mediaFile("av.flv");
    scope.start(
      "ffmpeg",
      ...publishArguments(source, `rtmp://127.0.0.1:${ports.SRS_LISTEN}/live/livestream`),
    );
    const url = `https://127.0.0.1:${ports.SRS_HTTP_SERVER_HTTPS_LISTEN}/live/livestream.flv`;
    deepEqual(await describeStreams(scope, url), await describeStreams(scope, source));
  },
);
