import { deepEqual, equal, match, ok } from "node:assert/strict";
import { HookServer } from "../fakes/hook_server.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { IS_SLOW } from "./crowd.ts";
import { packetHashes } from "./frames.ts";
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

/** When the last packet of a file is, in milliseconds. */
async function lastPacketMs(scope: TestScope, path: string): Promise<number> {
  const args = ["-v", "error", "-show_entries", "packet=dts_time", "-of", "csv=p=0", path];
  const { code, stdout } = await scope.start("ffprobe", ...args).finish();
  equal(code, 0, `ffprobe ${path}`);
  return Math.max(...stdout.split("\n").filter((line) => line !== "").map((line) => parseFloat(line) * 1000));
}

programTest(
  ["ffmpeg", "ffprobe"],
  "a recording has the frames that were published, all of them and no other, and says how long it is",
  async (scope) => {
    const source = await mediaFile("av.flv");
    const server = await scope.startServer({ config: recording(scope.path("rec/[app]/[stream].flv")) });
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
    equal(closed["file"], scope.path("rec/live/a.flv"));
    deepEqual(await packetHashes(scope, scope.path("rec/live/a.flv")), sent);
    const [metadata] = await readTags(scope.path("rec/live/a.flv"));
    const view = new DataView((metadata?.payload ?? new Uint8Array(64)).slice().buffer);
    equal(view.getFloat64(29), Number(closed["durationMs"]) / 1000);
    equal(view.getFloat64(48), (await Deno.stat(scope.path("rec/live/a.flv"))).size);
  },
);

programTest(
  ["ffmpeg", "ffprobe"],
  `${RECORDINGS} recordings of a server that is killed open to within a second of their end`,
  async (scope) => {
    const tags = await readTags(await mediaFile("av.flv"));
    const server = await scope.startServer({ config: recording(scope.path("rec/[stream].flv")) });
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
