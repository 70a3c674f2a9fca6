import { until } from "../fakes/deadline.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { assertSameFrames } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { NginxRtmp } from "./nginx_rtmp.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import type { TestScope } from "./test_scope.ts";

const PROGRAMS = ["ffmpeg", "nginx-rtmp"] as const;
/**
 * How long players watch, in seconds, and what they then have to have seen of video and audio: 25 frames a second, less those until
 * the first key frame, since nginx-rtmp keeps no group of pictures.
 */
const WATCH_S = "3";
const AT_LEAST_PACKETS = 45;

for (
  const [what, path] of [
    // As its documentation writes it: the application comes with `connect` alone.
    ["to a host", ""],
    ["to an application", "/live"],
    ["to an application and a name", "/live/a"],
  ] as const
) {
  programTest(PROGRAMS, `nginx-rtmp pushes ${what} here, and ffmpeg records its frames`, async (scope) => {
    const node = await LocalNode.start(scope);
    const nginx = await NginxRtmp.start(scope, `push rtmp://${node.origin}${path};`);
    await publish(scope, nginx.url("a"));
    await until(() => node.node.runtime.hub.get("/live/a")?.feed !== undefined, "nginx to publish here");
    await records(scope, `rtmp://${node.origin}/live/a`, `http://127.0.0.1:${node.httpPort}/live/a.flv`);
  });
}

programTest(PROGRAMS, "nginx-rtmp pulls from here, and ffmpeg records its frames", async (scope) => {
  const node = await LocalNode.start(scope);
  const nginx = await NginxRtmp.start(scope, `pull rtmp://${node.origin}/live;`);
  await publish(scope, `rtmp://${node.origin}/live/a`);
  await until(() => node.node.runtime.hub.get("/live/a")?.feed !== undefined, "ffmpeg to publish here");
  await records(scope, nginx.url("a"));
});

programTest(PROGRAMS, "an edge pulls from nginx-rtmp, and ffmpeg records its frames", async (scope) => {
  const nginx = await NginxRtmp.start(scope);
  const edge = await startLocalEdge(scope, [nginx]);
  await publish(scope, nginx.url("a"));
  await records(scope, `rtmp://${edge.origin}/live/a`, `http://127.0.0.1:${edge.httpPort}/live/a.flv`);
});

programTest(PROGRAMS, "an edge pushes to nginx-rtmp, and ffmpeg records its frames", async (scope) => {
  const nginx = await NginxRtmp.start(scope);
  const edge = await startLocalEdge(scope, [nginx]);
  await publish(scope, `rtmp://${edge.origin}/live/a`);
  await records(scope, nginx.url("a"), `rtmp://${edge.origin}/live/a`);
});

async function publish(scope: TestScope, url: string): Promise<void> {
  scope.start("ffmpeg", ...publishArguments(await mediaFile("av.flv"), url));
}

/** Fails unless ffmpeg records what was published, unbroken, from each of the URLs at once. */
async function records(scope: TestScope, ...urls: string[]): Promise<void> {
  const source = await mediaFile("av.flv");
  await Promise.all(urls.map(async (url, index) => {
    const path = scope.path(`recorded-${index}.flv`);
    await scope.start("ffmpeg", "-v", "error", "-i", url, "-t", WATCH_S, "-c", "copy", path).succeed();
    await assertSameFrames(scope, path, source, AT_LEAST_PACKETS);
  }));
}
