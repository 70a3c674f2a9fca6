import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { ChromiumPage } from "./chromium.ts";
import { startLocalCluster, startLocalEdge } from "./cluster_nodes.ts";
import { FilePublisher } from "./file_publisher.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const PROGRAMS = ["ffmpeg", "ffprobe", "chromium"] as const;
const VIDEO = `document.querySelector("video")`;
const STATUS = `document.getElementById("status").textContent`;

async function publish(scope: TestScope, server: ServerProcess, file: MediaFileName): Promise<void> {
  const source = await mediaFile(file);
  scope.start(
    "ffmpeg",
    ..."-v error -re -stream_loop -1 -i".split(" "),
    source,
    ..."-c copy -f flv".split(" "),
    server.url("live/a"),
  );
  await server.line(({ message }) => message === "Publish started");
}

function pageUrl(server: ServerProcess, query: string = "", host: string = "127.0.0.1"): string {
  return `http://${host}:${server.port("httpServer")}/players/${query}`;
}

async function assertPictureMoves(page: ChromiumPage): Promise<void> {
  await page.until(`${STATUS} === "playing"`);
  const before = await page.evaluate<number>(`${VIDEO}.currentTime`);
  const first = await page.screenshot("video");
  await page.until(`${VIDEO}.currentTime > ${before + 1}`);
  notDeepEqual(await page.screenshot("video"), first);
  deepEqual(await page.evaluate(`[${VIDEO}.videoWidth, ${VIDEO}.videoHeight]`), [320, 240]);
}

for (const protocol of ["http", "ws"]) {
  programTest(PROGRAMS, `a browser plays ${protocol}-FLV: the picture moves`, async (scope) => {
    const server = await scope.startServer();
    await publish(scope, server, "av.flv");
    const page = await ChromiumPage.open(scope, pageUrl(server, `?stream=live/a&protocol=${protocol}`));
    await assertPictureMoves(page);
    const started = await server.line(({ message }) => message === "Play started");
    equal(started["transport"], protocol === "ws" ? "websocket" : "http");
    deepEqual(page.complaints, []);
    const own = new URL(pageUrl(server)).host;
    ok(
      page.requested.every((url) =>
        url.startsWith("blob:") || url.startsWith("data:") || new URL(url).host === own
      ),
    );
  });
}

programTest(PROGRAMS, "a browser chooses a stream of the list, and turns its sound on", async (scope) => {
  const server = await scope.startServer();
  await publish(scope, server, "av.flv");
  const page = await ChromiumPage.open(scope, pageUrl(server));
  await page.until(`document.querySelector(".stream")`);
  equal(await page.evaluate(`document.querySelector(".stream b").textContent`), "live/a");
  await page.click(".stream");
  await assertPictureMoves(page);
  equal(await page.evaluate(`${VIDEO}.muted`), true);
  await page.click("#unmute");
  await page.until(`!${VIDEO}.muted && ${VIDEO}.webkitAudioDecodedByteCount > 0`);
  await page.until(`document.getElementById("unmute").hidden`);
});

programTest(PROGRAMS, "a browser plays a stream that has only sound", async (scope) => {
  const server = await scope.startServer();
  await publish(scope, server, "audio.flv");
  const page = await ChromiumPage.open(scope, pageUrl(server, "?stream=live/a"));
  await page.until(`${STATUS} === "playing" && ${VIDEO}.currentTime > 1`);
  equal(await page.evaluate(`document.getElementById("picture").textContent`), "none");
});

programTest(PROGRAMS, "a browser goes on when the publisher comes back", async (scope) => {
  const server = await scope.startServer();
  const source = await mediaFile("av.flv");
  const args = [..."-v error -re -stream_loop -1 -i".split(" "), source, ..."-c copy -f flv".split(" ")];
  const encoder = scope.start("ffmpeg", ...args, server.url("live/a"));
  const page = await ChromiumPage.open(scope, pageUrl(server, "?stream=live/a"));
  await assertPictureMoves(page);
  await encoder.kill();
  await page.until(`!document.getElementById("hint").hidden`);
  scope.start("ffmpeg", ...args, server.url("live/a"));
  await assertPictureMoves(page);
});

for (
  const [protocol, host] of [["http", "127.0.0.1"], ["http", "server.example"], ["ws", "127.0.0.1"]] as const
) {
  programTest(
    PROGRAMS,
    `a browser sees the picture that comes late to ${protocol}-FLV from ${host}`,
    async (scope) => {
      const server = await scope.startServer();
      const publisher = await FilePublisher.start(scope, server, await mediaFile("av.flv"));
      publisher.isVideoHeld = true;
      const page = await ChromiumPage.open(
        scope,
        pageUrl(server, `?stream=live/a&protocol=${protocol}`, host),
      );
      await page.until(`${STATUS} === "playing" && ${VIDEO}.currentTime > 1`);
      equal(await page.evaluate(`document.getElementById("picture").textContent`), "none");
      publisher.isVideoHeld = false;
      await page.until(`document.getElementById("picture").textContent.startsWith("320×240")`);
      await assertPictureMoves(page);
      equal(await page.evaluate(`document.getElementById("sound").textContent.startsWith("AAC")`), true);
    },
  );
}

programTest(PROGRAMS, "a browser goes on when the server has been started anew", async (scope) => {
  const server = await scope.startServer();
  await publish(scope, server, "av.flv");
  const page = await ChromiumPage.open(scope, pageUrl(server, "?stream=live/a"));
  await assertPictureMoves(page);
  await server.kill();
  await page.until(`document.getElementById("notice-more").textContent === "Trying again…"`);
  const env = {
    HEADWATER_LISTEN: `127.0.0.1:${server.port("rtmp")}`,
    HEADWATER_HTTP_SERVER_LISTEN: `127.0.0.1:${server.port("httpServer")}`,
  };
  await publish(scope, await scope.startServer({ env }), "av.flv");
  await assertPictureMoves(page);
  equal(await page.evaluate(`document.getElementById("notice").hidden`), true);
});

programTest(PROGRAMS, "a browser says in words why it can't play", async (scope) => {
  const server = await scope.startServer({ config: `vhost.__defaultVhost__.http_remux.wait_ms = 100` });
  const page = await ChromiumPage.open(scope, pageUrl(server, "?stream=live/none"));
  await page.until(`!document.getElementById("retry").hidden`);
  equal(
    await page.evaluate(`document.getElementById("notice-text").textContent`),
    "This stream is not being published.",
  );
});

programTest(PROGRAMS, "a browser is let in by the page that it plays in, else told so", async (scope) => {
  const refer = (domain: string) =>
    `[vhost.__defaultVhost__.refer]\nenabled = true\nplay = ${JSON.stringify([domain])}`;
  const server = await scope.startServer({ config: refer("example.com") });
  await publish(scope, server, "av.flv");
  const url = (protocol: string) => pageUrl(server, `?stream=live/a&protocol=${protocol}`);
  const refused = await ChromiumPage.open(scope, url("http"));
  await refused.until(`!document.getElementById("retry").hidden`);
  equal(
    await refused.evaluate(`document.getElementById("notice-text").textContent`),
    "The server does not let you play this stream.",
  );
  const { rule } = await server.line(({ message }) => message === "Access refused");
  equal(rule, "refer play: the page is of '127.0.0.1'");
  await server.reload(refer("127.0.0.1"));
  // A WebSocket has no Referer: its Origin counts.
  await assertPictureMoves(await ChromiumPage.open(scope, url("ws")));
});

programTest(PROGRAMS, "a browser plays by an address, and is told of the server's end", async (scope) => {
  const server = await scope.startServer();
  await publish(scope, server, "av.flv");
  const url = `ws://127.0.0.1:${server.port("httpServer")}/live/a.flv`;
  const page = await ChromiumPage.open(scope, pageUrl(server, `?url=${encodeURIComponent(url)}`));
  await assertPictureMoves(page);
  server.signal("SIGTERM");
  await page.until(`!document.getElementById("retry").hidden`);
  equal(
    await page.evaluate(`document.getElementById("notice-text").textContent`),
    "The server has ended the stream.",
  );
  await page.click("#stop");
  equal(await page.evaluate(`document.getElementById("notice-text").textContent`), "Stopped.");
  equal(await page.evaluate(`document.getElementById("notice-more").textContent`), "");
});

programTest(PROGRAMS, "a browser plays origin A's stream from the edge and from origin B", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  const edge = await startLocalEdge(scope, [a, b]);
  const source = await mediaFile("av.flv");
  scope.start("ffmpeg", "-stream_loop", "-1", ...publishArguments(source, `rtmp://${a.origin}/live/a`));
  await until(() => a.node.runtime.hub.get("/live/a")?.feed?.kind === "publish", "the publisher");
  for (const { httpPort } of [edge, b]) {
    await assertPictureMoves(
      await ChromiumPage.open(scope, `http://127.0.0.1:${httpPort}/players/?stream=live/a`),
    );
  }
  equal(b.node.runtime.hub.get("/live/a")?.feed?.kind, "pull");
});
