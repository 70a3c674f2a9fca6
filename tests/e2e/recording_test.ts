import { deepEqual, equal, match, ok } from "node:assert/strict";
import { HookServer } from "../fakes/hook_server.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { IS_SLOW } from "./crowd.ts";
import { av1Messages, hevcMessages, opusMessages } from "./enhanced_tags.ts";
import { describeStreams, packetHashes } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { RunningProgram } from "./running_program.ts";
import { readTags, TagPublisher } from "./tag_publisher.ts";
import { TestScope } from "./test_scope.ts";

const RECORDINGS = IS_SLOW ? 100 : 10;
/** How much of the file's end a process that is killed may lose, in milliseconds. */
const LOST_MS = 1000;
const KILLED_AFTER_MS = 3000;
const STEP_MS = 40;

function recording(path: string, more: string = ""): string {
  return `[vhost.__defaultVhost__.dvr]
enabled = true
dvr_path = "${path}"
reserve_bytes = 0
${more}`;
}

/** How long a file says it is, in milliseconds. */
async function durationMs(scope: TestScope, path: string): Promise<number> {
  const args = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path];
  return Math.round(parseFloat(await scope.start("ffprobe", ...args).succeed()) * 1000);
}

/** When the last packet of a file is, in milliseconds. */
async function lastPacketMs(scope: TestScope, path: string): Promise<number> {
  const args = ["-v", "error", "-show_entries", "packet=dts_time", "-of", "csv=p=0", path];
  const { code, stdout } = await scope.start("ffprobe", ...args).finish();
  equal(code, 0, `ffprobe ${path}`);
  return Math.max(...stdout.split("\n").filter((line) => line !== "").map((line) => parseFloat(line) * 1000));
}

for (const kind of ["flv", "mp4"] as const) {
  programTest(
    ["ffmpeg", "ffprobe"],
    `a recording as ${kind} has the frames that were published, all of them and no other, and says how long it is`,
    async (scope) => {
      const source = await mediaFile("av.flv");
      const server = await scope.startServer({ config: recording(scope.path(`rec/[app]/[stream].${kind}`)) });
      const publisher = await TagPublisher.start(
        scope,
        server.port("rtmp"),
        "live",
        "a",
        await readTags(source),
      );
      await publisher.sendUntil(Infinity);
      const sent = await packetHashes(scope, source);
      await publisher.close();
      const closed = await server.line(({ message }) => message === "Recording closed");
      equal(closed["file"], scope.path(`rec/live/a.${kind}`));
      deepEqual(await packetHashes(scope, scope.path(`rec/live/a.${kind}`)), sent);
      // MP4 says how long the last packet lasts, too.
      const beyondMs = await durationMs(scope, scope.path(`rec/live/a.${kind}`)) -
        Number(closed["durationMs"]);
      ok(beyondMs >= 0 && beyondMs <= (kind === "flv" ? 0 : STEP_MS), `${beyondMs} ms`);
      const streams = [
        await describeStreams(scope, scope.path(`rec/live/a.${kind}`)),
        await describeStreams(scope, source),
      ];
      deepEqual(streams[0], streams[1]);
    },
  );

  programTest(
    ["ffmpeg", "ffprobe"],
    `${RECORDINGS} recordings as ${kind} of a server that is killed open to within a second of their end`,
    async (scope) => {
      const tags = await readTags(await mediaFile("av.flv"));
      const server = await scope.startServer({ config: recording(scope.path(`rec/[stream].${kind}`)) });
      const publishers: TagPublisher[] = [];
      for (let index = 0; index < RECORDINGS; index++) {
        publishers.push(await TagPublisher.start(scope, server.port("rtmp"), "live", `a${index}`, tags));
      }
      const begunMs = performance.now();
      let sentMs = 0;
      while (sentMs < KILLED_AFTER_MS) {
        await new Promise((resolve) => setTimeout(resolve, STEP_MS));
        sentMs = performance.now() - begunMs;
        await Promise.all(publishers.map((publisher) => publisher.sendUntil(sentMs)));
      }
      await server.kill();
      const files = (await Array.fromAsync(Deno.readDir(scope.path("rec")))).map(({ name }) =>
        scope.path(`rec/${name}`)
      );
      equal(files.length, RECORDINGS);
      let most = 0;
      for (const file of files) most = Math.max(most, sentMs - await lastPacketMs(scope, file));
      ok(most < LOST_MS, `${most} ms of the end are lost`);
      // deno-lint-ignore no-console -- the figure of the slow run
      if (IS_SLOW) console.log(`${files.length} files, at most ${Math.round(most)} ms of the end lost`);
    },
  );
}

/** MD5 of each decoded picture of a file. */
async function pictures(scope: TestScope, path: string): Promise<string[]> {
  const args = ["-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-"];
  const output = await scope.start("ffmpeg", ...args).succeed();
  return output.split("\n").filter((line) => /^\d/.test(line)).map((line) =>
    line.split(",").at(-1)?.trim() ?? ""
  );
}

for (
  const [codec, file, messages, name] of [
    ["HEVC", "video.h265", hevcMessages, "hevc"],
    ["AV1", "video.ivf", av1Messages, "av1"],
  ] as const
) {
  programTest(
    ["ffmpeg", "ffprobe"],
    `${codec} and Opus as MP4 decode to the pictures that were published`,
    async (scope) => {
      const [video, audio] = [await mediaFile(file), await mediaFile("audio.ogg")];
      const tags = [...opusMessages(await Deno.readFile(audio)), ...messages(await Deno.readFile(video))]
        .toSorted((a, b) =>
          a.timestamp - b.timestamp || Number(isFrame(a.payload)) - Number(isFrame(b.payload))
        );
      const server = await scope.startServer({ config: recording(scope.path("[stream].mp4")) });
      const publisher = await TagPublisher.start(scope, server.port("rtmp"), "live", "a", tags);
      await publisher.sendUntil(Infinity);
      await publisher.close();
      await server.line(({ message }) => message === "Recording closed");
      const [sound, picture] = await describeStreams(scope, scope.path("a.mp4"));
      deepEqual([sound?.["codec_name"], picture?.["codec_name"]], ["opus", name]);
      deepEqual(await pictures(scope, scope.path("a.mp4")), await pictures(scope, video));
      const packets = (await packetHashes(scope, scope.path("a.mp4"))).get("audio");
      deepEqual(packets, (await packetHashes(scope, audio)).get("audio"));
    },
  );
}

function isFrame(payload: Uint8Array): boolean {
  return ((payload[0] ?? 0) & 0x0f) !== 0;
}

Deno.test("a full disk pauses the recordings on it, and nothing else", async () => {
  const scope = new TestScope();
  try {
    const full = scope.path("rec/full");
    await Deno.mkdir(full, { recursive: true });
    const mounted = await RunningProgram.start("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", full])
      .finish();
    // Only root may mount; tests/sim/recording_test.ts has a disk for everybody.
    if (mounted.code !== 0) return;
    scope.onClose(async () => {
      await RunningProgram.start("umount", ["-l", full]).finish();
    });
    const server = await scope.startServer({ config: recording(scope.path("rec/[app]/[stream].flv")) });
    const other = await TestEncoder.start(server.port("rtmp"), "a", "other");
    scope.onClose(() => other.close());
    const encoder = await TestEncoder.start(server.port("rtmp"), "a", "full");
    scope.onClose(() => encoder.close());
    for (let index = 0; index < 10; index++) {
      await encoder.client.send(9, 1000 + index, new Uint8Array(100_000).fill(0x27));
    }
    const paused = await server.line(({ message }) => /^Recording paused/.test(message));
    equal(paused["reason"], "disk-full");
    equal(paused["stream"], "/full/a");
    // The file that is there is whole tags, and the publisher still publishes.
    const tags = await readTags(`${full}/a.flv`);
    ok(tags.length >= 3, `${tags.length} tags`);
    const api = `http://127.0.0.1:${server.port("httpApi")}`;
    const { recordings } = await (await fetch(`${api}/api/v1/recordings`)).json();
    const states = recordings.map(({ app, state }: { app: string; state: string }) => `${app} ${state}`);
    deepEqual(states.toSorted(), ["full paused", "other recording"]);
    const metrics = await (await fetch(`${api}/metrics`)).text();
    match(metrics, /^headwater_recording_failures_total\{reason="disk-full"\} 1$/m);
    equal(encoder.lastStatus?.code, "NetStream.Publish.Start");
  } finally {
    await scope.close();
  }
});

Deno.test("a recording that is asked for by the API ends by it, and on_dvr says where it is, in SRS's fields", async () => {
  await using hooks = new HookServer();
  const scope = new TestScope();
  try {
    const config = `[vhost.__defaultVhost__.http_hooks]
enabled = true
on_dvr = "${hooks.url("/dvr")}"
${recording(scope.path("rec/[app]/[stream].flv"), "dvr_apply = ['live/none']")}`;
    const server = await scope.startServer({ config });
    const encoder = await TestEncoder.start(server.port("rtmp"), "../a?token=t1", "live");
    scope.onClose(() => encoder.close());
    const api = `http://127.0.0.1:${server.port("httpApi")}/api/v1/recordings`;
    const begun = await fetch(`${api}?app=live&stream=${encodeURIComponent("../a")}`, { method: "POST" });
    const { recording: { id } } = await begun.json();
    equal(begun.status, 200);
    for (let has = false; !has;) {
      const { recording: { bytes } } = await (await fetch(`${api}/${id}`)).json();
      has = bytes > 1000;
    }
    equal((await (await fetch(`${api}/${id}`, { method: "DELETE" })).json()).recording.state, "ended");
    await hooks.count(1);
    const [call] = hooks.calls;
    deepEqual(
      Object.keys(call?.body ?? {}).join(" "),
      [
        "server_id service_id action client_id ip vhost app tcUrl stream param cwd file stream_url stream_id",
      ].join(" "),
    );
    const { action, app, stream, param, file, stream_url: url } = call?.body ?? {};
    deepEqual({ action, app, stream, param, file, url }, {
      action: "on_dvr",
      app: "live/..",
      stream: "a",
      param: "?token=t1",
      file: scope.path("rec/live/%2E%2E/a.flv"),
      url: "/live/../a",
    });
    ok((await readTags(scope.path("rec/live/%2E%2E/a.flv"))).length > 3);
    deepEqual((await (await fetch(api)).json()).recordings, []);
  } finally {
    await scope.close();
  }
});
