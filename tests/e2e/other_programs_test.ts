import { assertSameFrames } from "./frames.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const FILES = {
  "av.flv": { video: true, audio: true },
  "audio.flv": { video: false, audio: true },
  "video.flv": { video: true, audio: false },
} as const satisfies Partial<Record<MediaFileName, { video: boolean; audio: boolean }>>;
const NAMES = Object.keys(FILES) as (keyof typeof FILES)[];

for (const name of NAMES) {
  programTest(["ffmpeg", "rtmpdump"], `rtmpdump records the frames of ${name}`, async (scope) => {
    const { server, source } = await publish(scope, name);
    const recorded = scope.path("recorded.flv");
    await scope.start("rtmpdump", "-q", "--live", "-r", server.url("live/a"), "-o", recorded, "-B", "3")
      .succeed();
    await assertSameFrames(scope, recorded, source, 60);
  });

  programTest(["ffmpeg", "gst-launch-1.0"], `GStreamer records the frames of ${name}`, async (scope) => {
    const { server, source } = await publish(scope, name);
    const recorded = scope.path("recorded.flv");
    const input = ["rtmp2src", `location=${server.url("live/a")}`, "num-buffers=150", "!"];
    const output = ["filesink", `location=${recorded}`];
    await scope.start("gst-launch-1.0", "-q", ...input, ...remux(name), ...output).succeed();
    await assertSameFrames(scope, recorded, source, 50);
  });

  programTest(
    ["ffmpeg", "gst-launch-1.0"],
    `ffmpeg records the frames of ${name} from GStreamer`,
    async (scope) => {
      const server = await scope.startServer();
      const source = await mediaFile(name);
      const input = ["filesrc", `location=${source}`, "!"];
      const output = ["rtmp2sink", `location=${server.url("live/a")}`];
      scope.start("gst-launch-1.0", "-q", ...input, ...remux(name), ...output);
      await server.line(({ message }) => message === "Publish started");
      const recorded = scope.path("recorded.flv");
      const args = ["-v", "error", "-i", server.url("live/a"), "-t", "3", "-c", "copy", recorded];
      await scope.start("ffmpeg", ...args).succeed();
      await assertSameFrames(scope, recorded, source, 60);
    },
  );
}

async function publish(
  scope: TestScope,
  name: keyof typeof FILES,
): Promise<{ server: ServerProcess; source: string }> {
  const server = await scope.startServer();
  const source = await mediaFile(name);
  await publishFile(scope, server, source);
  return { server, source };
}

/** The part of a pipeline that takes an FLV apart and makes one of it again; its end leads to the sink. */
function remux(name: keyof typeof FILES): string[] {
  const video = ["queue", "!", "h264parse", "!"];
  const audio = ["queue", "!", "aacparse", "!"];
  const { video: hasVideo, audio: hasAudio } = FILES[name];
  const branches = [
    ...(hasVideo ? [["d.video", "!", ...video]] : []),
    ...(hasAudio ? [["d.audio", "!", ...audio]] : []),
  ];
  return [
    "flvdemux",
    "name=d",
    ...branches.flatMap((branch) => [...branch, "m."]),
    "flvmux",
    "name=m",
    "streamable=true",
    "!",
  ];
}
