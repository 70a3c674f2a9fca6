import { deepEqual, equal, ok } from "node:assert/strict";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { ChromiumPage } from "./chromium.ts";
import { startEdgeProcess } from "./cluster_nodes.ts";
import {
  av1Messages,
  hevcMessages,
  type MediaMessage,
  multitrackMessage,
  opusMessages,
} from "./enhanced_tags.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

/** What FFmpeg may look at until it decides, of a URL that might still get a second stream. */
const QUICKLY = ["-v", "error", "-analyzeduration", "2M"];
const FFPROBE7 = { program: "ffprobe7", options: QUICKLY } as const;

interface EnhancedMedia {
  readonly name: string;
  readonly file: MediaFileName;
  readonly messages: (file: Uint8Array) => MediaMessage[];
}

const MEDIA: readonly EnhancedMedia[] = [
  { name: "HEVC", file: "video.h265", messages: hevcMessages },
  { name: "AV1", file: "video.ivf", messages: av1Messages },
  { name: "Opus", file: "audio.ogg", messages: opusMessages },
];

// FFmpeg 7.1 reads enhanced video, but no enhanced audio yet.
for (const { name, file, messages } of MEDIA.filter(({ name }) => name !== "Opus")) {
  programTest(
    ["ffmpeg", "ffprobe", "ffprobe7"],
    `FFmpeg 7.1 names ${name} in enhanced tags`,
    async (scope) => {
      const source = await mediaFile(file);
      const server = await scope.startServer();
      const described = describeStreams(scope, server.url("live/a"), FFPROBE7);
      await server.line(({ message }) => message === "Play started");
      await publish(scope, server, looped(messages(await Deno.readFile(source))));
      deepEqual(await described, await describeStreams(scope, source));
    },
  );

  programTest(["ffmpeg", "ffmpeg7"], `FFmpeg 7.1 decodes ${name} in enhanced tags`, async (scope) => {
    const server = await scope.startServer();
    const output = ["-t", "3", "-c:v", "rawvideo", "-c:a", "pcm_s16le", "-f", "null", "-"];
    const player = scope.start("ffmpeg7", "-xerror", ...QUICKLY, "-i", server.url("live/a"), ...output);
    await server.line(({ message }) => message === "Play started");
    await publish(scope, server, looped(messages(await Deno.readFile(await mediaFile(file)))));
    const { code, stderr } = await player.finish();
    deepEqual([code, stderr], [0, ""]);
  });
}

for (const { name, file, messages } of MEDIA.filter(({ name }) => name !== "Opus")) {
  programTest(
    ["ffmpeg", "ffprobe", "ffprobe7"],
    `FFmpeg 7.1 names ${name} in an edge's HTTP-FLV`,
    async (scope) => {
      const source = await mediaFile(file);
      const origin = await scope.startServer();
      const edge = await startEdgeProcess(scope, [origin]);
      const [header, keyframe, ...rest] = looped(messages(await Deno.readFile(source)));
      if (header === undefined || keyframe === undefined) {
        throw new Error("Cannot go on: the file has no frames");
      }
      const send = await publish(scope, origin, [header, keyframe]);
      const url = `http://127.0.0.1:${edge.port("httpServer")}/live/a.flv`;
      const described = describeStreams(scope, url, FFPROBE7);
      await edge.line(({ message }) => message === "Play started");
      await send(rest);
      deepEqual(await described, await describeStreams(scope, source));
    },
  );
}

for (const { name, file, messages } of MEDIA) {
  for (const tracks of [undefined, [0, 1, 7]]) {
    const what = tracks === undefined ? name : `multitrack ${name}`;
    programTest(["ffmpeg"], `${what} arrives to the byte`, async (scope) => {
      const plain = messages(await Deno.readFile(await mediaFile(file)));
      const sent = tracks === undefined ? plain : plain.map((message) => multitrackMessage(message, tracks));
      const server = await scope.startServer();
      const received: MediaMessage[] = [];
      const player = await connectLocally(
        server.port("rtmp"),
        "live",
        ({ typeId, timestamp, payload }) => {
          if (typeId !== MESSAGE_TYPE.data) received.push({ typeId, timestamp, payload: payload.slice() });
        },
      );
      scope.onClose(() => player.close());
      await player.play("a");
      await publish(scope, server, sent);
      await player.until(() => received.length >= sent.length, () => `${received.length} messages`);
      equal(received.length, sent.length);
      for (const [index, message] of sent.entries()) deepEqual(received[index]?.payload, message.payload);
    });
  }
}

programTest(["ffmpeg", "ffprobe7"], "FFmpeg 7.1 names HEVC beside Opus", async (scope) => {
  const hevc = hevcMessages(await Deno.readFile(await mediaFile("video.h265")));
  const opus = opusMessages(await Deno.readFile(await mediaFile("audio.ogg")));
  const server = await scope.startServer();
  const described = describeStreams(scope, server.url("live/a"), FFPROBE7);
  await server.line(({ message }) => message === "Play started");
  const both = [...looped(hevc), ...looped(opus)].sort((a, b) => a.timestamp - b.timestamp);
  await publish(scope, server, both);
  ok((await described).some((stream) => stream["codec_name"] === "hevc"));
});

programTest(
  ["ffmpeg"],
  "a player that joins is given multitrack headers and starts at a key frame",
  async (scope) => {
    const plain = hevcMessages(await Deno.readFile(await mediaFile("video.h265")));
    const sent = plain.map((message) => multitrackMessage(message, [0, 1]));
    const server = await scope.startServer();
    await publish(scope, server, sent);
    const received: Uint8Array[] = [];
    const player = await connectLocally(server.port("rtmp"), "live", ({ typeId, payload }) => {
      if (typeId === MESSAGE_TYPE.video) received.push(payload.slice());
    });
    scope.onClose(() => player.close());
    await player.play("a");
    // 100 frames with a key frame every 25: the last group begins with frame 75.
    const expected = [sent[0], ...sent.slice(1 + 75)].map((message) => message?.payload);
    await player.until(() => received.length >= expected.length, () => `${received.length} messages`);
    deepEqual(received, expected);
  },
);

/** Media that a program that looks for more than its 4 s has enough of; the header comes once. */
function looped(messages: readonly MediaMessage[]): MediaMessage[] {
  const [header, ...frames] = messages;
  const durationMs = 4000;
  const rounds = [0, 1, 2].flatMap((round) =>
    frames.map((message) => ({ ...message, timestamp: message.timestamp + round * durationMs }))
  );
  return header === undefined ? [] : [header, ...rounds];
}

programTest(["ffmpeg", "chromium"], "a browser plays Opus in enhanced tags", async (scope) => {
  const server = await scope.startServer();
  const [header, first, ...rest] = looped(opusMessages(await Deno.readFile(await mediaFile("audio.ogg"))));
  if (header === undefined || first === undefined) throw new Error("Cannot go on: the file has no frames");
  const send = await publish(scope, server, [header, first]);
  const page = await ChromiumPage.open(
    scope,
    `http://127.0.0.1:${server.port("httpServer")}/players/?stream=live/a`,
  );
  await server.line(({ message }) => message === "Play started");
  await send(rest);
  await page.until(`document.querySelector("video").webkitAudioDecodedByteCount > 0`);
});

/** Publishes all that it is given at once, and stays until the test ends. Returns how to send more. */
async function publish(
  scope: TestScope,
  server: ServerProcess,
  messages: readonly MediaMessage[],
): Promise<(more: readonly MediaMessage[]) => Promise<void>> {
  const publisher = await connectLocally(server.port("rtmp"), "live");
  scope.onClose(() => publisher.close());
  await publisher.publish("a");
  const send = async (more: readonly MediaMessage[]) => {
    for (const { typeId, timestamp, payload } of more) await publisher.send(typeId, timestamp, payload);
  };
  await send(messages);
  return send;
}
