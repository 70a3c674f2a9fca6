import { deepEqual, equal, match, ok } from "node:assert/strict";
import { assertSameFrames, describeStreams } from "./frames.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments, publishFile } from "./publish_file.ts";

const FFMPEG = ["ffmpeg", "ffprobe"] as const;

for (const name of ["av.flv", "audio.flv", "video.flv"] satisfies MediaFileName[]) {
  programTest(
    FFMPEG,
    `${name} published with ffmpeg is named by ffprobe and recorded by ffmpeg`,
    async (scope) => {
      const server = await scope.startServer();
      const source = await mediaFile(name);
      const recorded = scope.path("recorded.flv");
      await publishFile(scope, server, source);
      const args = ["-v", "error", "-i", server.url("live/a"), "-t", "4", "-c", "copy", recorded];
      const recorder = scope.start("ffmpeg", ...args);
      deepEqual(await describeStreams(scope, server.url("live/a")), await describeStreams(scope, source));
      await recorder.succeed();
      await assertSameFrames(scope, recorded, source, 80);
    },
  );
}

programTest(FFMPEG, "ffmpeg that waits for a stream records all of it", async (scope) => {
  const server = await scope.startServer();
  const source = await mediaFile("av.flv");
  const recorded = scope.path("recorded.flv");
  const recorder = scope.start(
    "ffmpeg",
    "-v",
    "error",
    "-i",
    server.url("live/a"),
    "-t",
    "19",
    "-c",
    "copy",
    recorded,
  );
  await server.line(({ message }) => message === "Play started");
  await scope.start("ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "flv", server.url("live/a"))
    .succeed();
  await recorder.succeed();
  await assertSameFrames(scope, recorded, source, 470);
});

programTest(FFMPEG, "a second publisher of a live stream is told why it can't", async (scope) => {
  const server = await scope.startServer();
  const source = await mediaFile("av.flv");
  await publishFile(scope, server, source);
  const second = scope.start("ffmpeg", ...publishArguments(source, server.url("live/a")));
  const { code, stderr } = await second.finish();
  equal(code, 1);
  match(stderr, /Server error: Cannot publish '\/live\/a': .* is publishing it/);
  deepEqual(await describeStreams(scope, server.url("live/a")), await describeStreams(scope, source));
});

/** ffmpeg itself splits a URL at any slash, so a slash in a parameter takes the name as an option of its own. */
const SLASH_IN_PARAMETER = ["-rtmp_app", "live", "-rtmp_playpath", "a?token=x/y"];

for (
  const [what, publish, play] of [
    ["with dots in its name", "live/a.b.c", ["live/a.b.c"]],
    ["of an app of three segments", "one/two/three/a", ["one/two/three/a"]],
    ["published with a parameter", "live/a?token=x", ["live/a"]],
    ["played with a slash in a parameter", "live/a", [...SLASH_IN_PARAMETER, ""]],
    ["of two segments and a slash in a parameter", "one/two/a.b?token=x/y&z=1", ["one/two/a.b?token=u/v"]],
  ] as const
) {
  programTest(FFMPEG, `a stream ${what} is found`, async (scope) => {
    const server = await scope.startServer();
    const source = await mediaFile("av.flv");
    await publishFile(scope, server, source, publish);
    const options = play.slice(0, -1);
    const url = server.url(play.at(-1) ?? "");
    deepEqual(await describeStreams(scope, url, { options }), await describeStreams(scope, source));
  });
}

programTest(
  ["ffmpeg"],
  "an encoder that sends a file at once and leaves has all of it taken",
  async (scope) => {
    const server = await scope.startServer();
    const file = await mediaFile("av.flv");
    const taken: number[] = [];
    for (let i = 0; i < 10; i++) {
      const from = server.lines.length;
      const options = ["-v", "error", "-i", file, "-c", "copy", "-f", "flv", server.url(`live/${i}`)];
      await scope.start("ffmpeg", ...options).succeed();
      const closed = await server.line(({ message }) => message === "Connection closed", from);
      taken.push(Number(closed["receivedBytes"]));
    }
    const most = Math.max(...taken);
    // Acknowledgements, which come as they may, are all that may differ.
    ok(taken.every((bytes) => most - bytes < 200), `${taken}`);
  },
);
