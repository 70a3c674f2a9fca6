import assert from "node:assert/strict";
import type { LiveStream } from "../../lib/hub/live_stream.ts";
import type { RecordingSettings } from "../../lib/outputs/recording/recording_settings.ts";
import { Recordings } from "../../lib/outputs/recording/recordings.ts";
import type { StreamRequest } from "../../lib/server/stream_router.ts";
import { Amf0Object, decodeAmf0 } from "../../lib/wire/amf0.ts";
import { FlvReader } from "../../lib/wire/flv.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { FakeDisk, type FakeFile } from "../fakes/fake_disk.ts";
import { LogRecords } from "../fakes/log_records.ts";
import { newStream, TestFeed } from "../fakes/stream_peer.ts";

const SETTINGS: RecordingSettings = {
  isEnabled: true,
  apply: ["all"],
  path: "/rec/[stream].[timestamp].flv",
  isUtc: true,
  plan: "session",
  durationMs: 30_000,
  waitsForKeyframe: true,
  timeJitter: "full",
  reserveBytes: 0,
};

/** A stream that is recorded onto a fake disk, from before its publisher's first message on. */
class Recorded {
  readonly clock = new FakeClock();
  readonly disk = new FakeDisk();
  readonly stream: LiveStream = newStream();
  /** What `on_dvr` is told. */
  readonly told: string[] = [];
  descriptors = 0;
  readonly recordings: Recordings;
  readonly request = {
    key: "/live/s",
    address: { vhost: "__defaultVhost__", app: "live", stream: "s", parameters: "" },
    vhost: { name: "__defaultVhost__" },
  } as unknown as StreamRequest;
  readonly leave: () => void;
  readonly feed: TestFeed;

  constructor(settings: Partial<RecordingSettings> = {}) {
    this.recordings = new Recordings({
      settings: new Map([["__defaultVhost__", { ...SETTINGS, ...settings }]]),
      disk: this.disk,
      clock: this.clock,
      newId: () => "rec1",
      holdDescriptor: () => {
        this.descriptors++;
        return () => this.descriptors--;
      },
      onFile: (_, path) => this.told.push(path),
    });
    this.leave = this.recordings.begin(this.request, this.stream);
    this.feed = new TestFeed(this.stream);
  }

  /** The publisher leaves, and the disk closes what is open. */
  async over(): Promise<void> {
    this.feed.close();
    this.leave();
    await settle();
  }

  /** What a file holds: `V`/`A` headers with their tag, `K` key frame, `p` inter frame, `a` audio, each with its time. */
  words(file: FakeFile | undefined): string {
    assert.ok(file !== undefined, "no such file");
    const reader = new FlvReader();
    reader.push(file.bytes);
    const words: string[] = [];
    for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
      const { typeId, timestamp, payload } = tag;
      if (typeId === 18) continue;
      const isHeader = payload[1] === 0;
      const word = typeId === 8
        ? (isHeader ? `A${payload[2]}:` : "a")
        : isHeader
        ? `V${payload[5]}:`
        : payload[0] === 0x17
        ? "K"
        : "p";
      words.push(`${word}${timestamp}`);
    }
    return words.join(" ");
  }

  metadata(file: FakeFile | undefined): Map<string, unknown> {
    const reader = new FlvReader();
    reader.push(file?.bytes ?? new Uint8Array(0));
    const described = decodeAmf0(reader.next()?.payload ?? new Uint8Array(0))[1];
    assert.ok(described instanceof Amf0Object);
    return new Map(described.entries);
  }
}

Deno.test("a session is one file of what was published, its length and size filled in at the end", async () => {
  const recorded = new Recorded();
  const { feed, disk } = recorded;
  feed.metadata({ width: 640 });
  feed.videoHeader(0, 1);
  feed.audioHeader(0, 2);
  feed.audio(0);
  feed.keyframe(10);
  feed.inter(50);
  feed.audio(60);
  await recorded.over();
  const [file] = disk.files;
  assert.equal(recorded.words(file), "A2:0 V1:0 a0 K10 p50 a60");
  const metadata = recorded.metadata(file);
  assert.equal(metadata.get("width"), 640);
  assert.equal(metadata.get("duration"), 0.06);
  assert.equal(metadata.get("filesize"), file?.bytes.length);
  assert.equal(file?.bytes[4], 5);
  assert.deepEqual(recorded.told, [file?.path]);
  assert.ok(file?.isClosed);
  assert.equal(recorded.descriptors, 0);
});

Deno.test("audio only is recorded from its first packet on, and its file says that there is no video", async () => {
  const recorded = new Recorded();
  recorded.feed.audioHeader(0, 1);
  recorded.feed.audio(0);
  recorded.feed.audio(23);
  await recorded.over();
  assert.equal(recorded.words(recorded.disk.files[0]), "A1:0 a0 a23");
  assert.equal(recorded.disk.files[0]?.bytes[4], 4);
});

Deno.test("video before the first key frame is left out, unless a file need not begin with one", async () => {
  for (const [waitsForKeyframe, expected] of [[true, "V1:0 K0 p40"], [false, "V1:0 p0 K40 p80"]] as const) {
    const recorded = new Recorded({ waitsForKeyframe });
    recorded.feed.videoHeader(0, 1);
    recorded.feed.inter(0);
    recorded.feed.keyframe(40);
    recorded.feed.inter(80);
    await recorded.over();
    assert.equal(recorded.words(recorded.disk.files[0]), expected);
  }
});

Deno.test("segments are cut at the first key frame past their length, each with its headers and from 0", async () => {
  const recorded = new Recorded({ plan: "segment", durationMs: 100 });
  const { feed } = recorded;
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  feed.keyframe(60);
  feed.inter(120);
  feed.audio(130);
  feed.keyframe(160);
  feed.inter(200);
  await recorded.over();
  assert.deepEqual(recorded.disk.files.map((file) => recorded.words(file)), [
    "V1:0 K0 K60 p120 a130",
    "V1:0 K0 p40",
  ]);
  assert.equal(recorded.told.length, 2);
});

Deno.test("segments of audio only are cut at any packet", async () => {
  const recorded = new Recorded({ plan: "segment", durationMs: 40 });
  for (const time of [0, 20, 40, 60]) recorded.feed.audio(time);
  await recorded.over();
  assert.deepEqual(recorded.disk.files.map((file) => recorded.words(file)), ["a0 a20", "a0 a20"]);
});

Deno.test("a header that comes again changes nothing, another one begins a new file at the next key frame", async () => {
  const recorded = new Recorded();
  const { feed } = recorded;
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  feed.videoHeader(40, 1);
  feed.inter(40);
  feed.videoHeader(80, 2);
  feed.inter(80);
  feed.keyframe(120);
  await recorded.over();
  assert.deepEqual(recorded.disk.files.map((file) => recorded.words(file)), ["V1:0 K0 p40", "V2:0 K0"]);
});

Deno.test("with time_jitter off the times are the stream's", async () => {
  const recorded = new Recorded({ timeJitter: "off", plan: "segment", durationMs: 40 });
  recorded.feed.videoHeader(0, 1);
  recorded.feed.keyframe(0);
  recorded.feed.keyframe(40);
  await recorded.over();
  assert.equal(recorded.words(recorded.disk.files[1]), "V1:40 K40");
});

Deno.test("what was sent is on the disk half a second later", async () => {
  const recorded = new Recorded();
  recorded.feed.videoHeader(0, 1);
  recorded.feed.keyframe(0);
  await settle();
  recorded.feed.inter(40);
  await recorded.clock.advance(500);
  assert.equal(recorded.words(recorded.disk.files[0]), "V1:0 K0 p40");
  await recorded.over();
});

Deno.test("a full disk: the file ends with a whole tag, nobody is told of it, and another is begun later", async () => {
  using records = new LogRecords();
  const recorded = new Recorded();
  const { feed, disk, clock } = recorded;
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  await settle();
  disk.room = 7;
  feed.inter(40);
  feed.inter(80);
  await clock.advance(500);
  const [file] = disk.files;
  assert.equal(recorded.words(file), "V1:0 K0");
  assert.ok(file?.isClosed);
  assert.equal(recorded.descriptors, 0);
  const [recorder] = recorded.recordings.list();
  assert.equal(recorder?.state, "paused");
  assert.equal(recorded.recordings.totals.failures["disk-full"], 1);
  assert.deepEqual(records.lines, ["error Recording paused: the disk failed; the stream goes on"]);
  disk.room = Infinity;
  feed.keyframe(120);
  assert.equal(disk.files.length, 1);
  await clock.advance(10_000);
  feed.inter(160);
  feed.keyframe(200);
  await recorded.over();
  assert.equal(recorded.words(disk.files[1]), "V1:0 K0");
  assert.deepEqual(recorded.told, [disk.files[1]?.path]);
});

Deno.test("what a full disk took of a write stays, as far as it is whole tags", async () => {
  for (const [room, words] of [[0, undefined], [80, ""], [199, "V1:0"], [10_000, "V1:0 K0"]] as const) {
    const recorded = new Recorded();
    const { feed, disk } = recorded;
    disk.room = room;
    feed.videoHeader(0, 1);
    feed.keyframe(0, 90);
    feed.inter(40, 20_000);
    await settle();
    await recorded.over();
    const [file] = disk.files;
    if (words === undefined) assert.equal(file?.bytes.length, 0);
    else assert.equal(recorded.words(file), words, `${room} bytes`);
    assert.equal(recorded.recordings.totals.bytes, file?.bytes.length);
  }
});

Deno.test("a disk that hangs costs 16 MiB of memory and the recording; the file is closed when it answers", async () => {
  const recorded = new Recorded();
  const { feed, disk } = recorded;
  const { promise, resolve } = Promise.withResolvers<void>();
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  await settle();
  disk.hold = promise;
  for (let index = 1; index <= 40; index++) feed.inter(index, 1024 * 1024);
  const [recorder] = recorded.recordings.list();
  assert.equal(recorder?.state, "paused");
  assert.match(recorder?.lastError ?? "", /wait for the disk, limit is 16777216/);
  assert.equal(recorded.recordings.totals.failures["disk-slow"], 1);
  assert.equal(recorded.descriptors, 1);
  disk.hold = Promise.resolve();
  resolve();
  await settle();
  assert.equal(recorded.descriptors, 0);
  assert.equal(recorded.words(disk.files[0]), "V1:0 K0");
  await recorded.over();
  assert.deepEqual(recorded.told, []);
});

for (
  const [what, error, failure] of [
    ["read-only", Object.assign(new Error("Read-only file system"), { code: "EROFS" }), "not-writable"],
    ["gone", Object.assign(new Error("Input/output error"), { code: "EIO" }), "io-error"],
    ["not allowed", new Deno.errors.PermissionDenied("no"), "not-writable"],
  ] as const
) {
  Deno.test(`a disk that is ${what} pauses the recording as ${failure}, longer each time`, async () => {
    const recorded = new Recorded();
    const { feed, disk, clock } = recorded;
    disk.error = error;
    feed.keyframe(0);
    await settle();
    assert.equal(recorded.recordings.totals.failures[failure], 1);
    await clock.advance(10_000);
    feed.keyframe(40);
    await settle();
    await clock.advance(10_000);
    feed.keyframe(80);
    await settle();
    assert.equal(recorded.recordings.totals.failures[failure], 2);
    await recorded.over();
    assert.deepEqual(recorded.told, []);
  });
}

Deno.test("a recording stops before the disk is full", async () => {
  const recorded = new Recorded({ reserveBytes: 1000 });
  recorded.disk.free = 1000;
  recorded.feed.keyframe(0);
  await settle();
  recorded.disk.free = 999;
  await recorded.clock.advance(5000);
  recorded.feed.inter(40);
  await recorded.clock.advance(500);
  assert.equal(recorded.recordings.totals.failures["disk-low"], 1);
  assert.equal(recorded.words(recorded.disk.files[0]), "K0");
  await recorded.over();
});

Deno.test("a stream is recorded when it is asked for, from the next key frame, until it is to end", async () => {
  const recorded = new Recorded({ isEnabled: false });
  const { feed, recordings, disk } = recorded;
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  assert.equal(recordings.start("/live/other"), "not published here");
  const recorder = recordings.start("/live/s");
  assert.equal(recordings.start("/live/s"), "recorded already");
  feed.audio(20);
  feed.inter(40);
  feed.keyframe(80);
  feed.inter(120);
  await settle();
  assert.deepEqual([...recordings.list()], [recorder]);
  assert.equal(recordings.stop("rec1"), recorder);
  feed.inter(160);
  await recorded.over();
  assert.equal(recorded.words(disk.files[0]), "V1:0 K0 p40");
  assert.equal(disk.files.length, 1);
});

Deno.test("MP4: a track that comes later begins a new file, and what comes at one time is not kept in memory", async () => {
  const recorded = new Recorded({ path: "/rec/[stream].mp4" });
  const { feed, disk } = recorded;
  feed.write(8, 0, Uint8Array.of(0xaf, 0, 0x12, 0x10));
  feed.audio(0);
  feed.audio(23);
  feed.videoHeader(30, 1);
  feed.keyframe(30);
  feed.audio(46);
  for (let index = 0; index < 40; index++) {
    feed.inter(70, 200_000);
    await settle();
  }
  assert.ok((disk.files[1]?.bytes.length ?? 0) > 6_000_000);
  await recorded.over();
  const boxes = disk.files.map(({ bytes }) => Array.from(topBoxes(bytes)));
  assert.deepEqual(boxes[0], ["ftyp", "moov", "moof", "mdat"]);
  assert.deepEqual(boxes[1]?.slice(0, 4), ["ftyp", "moov", "moof", "mdat"]);
  assert.equal(recorded.told.length, 2);
});

Deno.test("MP4: what a full disk took of a write stays, as far as it is whole fragments", async () => {
  const recorded = new Recorded({ path: "/rec/[stream].mp4" });
  const { feed, disk, clock } = recorded;
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  feed.inter(400);
  await settle();
  const whole = disk.files[0]?.bytes.length ?? 0;
  disk.room = 150;
  feed.inter(800, 1000);
  feed.inter(1200, 1000);
  await clock.advance(1000);
  assert.equal(disk.files[0]?.isClosed, true);
  const boxes = Array.from(topBoxes(disk.files[0]?.bytes ?? new Uint8Array(0)));
  assert.deepEqual(boxes.slice(0, 4), ["ftyp", "moov", "moof", "mdat"]);
  assert.ok((disk.files[0]?.bytes.length ?? 0) >= whole);
  await recorded.over();
});

/** The kinds of the boxes of a file, which must fill it. */
function* topBoxes(bytes: Uint8Array): Iterable<string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += view.getUint32(at)) {
    assert.ok(at + view.getUint32(at) <= bytes.length, "cut off");
    yield new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
  }
}

for (const kind of ["flv", "mp4"]) {
  Deno.test(`${kind}: whatever a publisher sends, and however long, is recorded or left out`, async () => {
    const recorded = new Recorded({ path: `/rec/[stream].${kind}`, waitsForKeyframe: false });
    const { feed, recordings } = recorded;
    const fourCcs = ["avc1", "hvc1", "av01", "mp4a", "Opus", ".mp3"].map((name) =>
      new TextEncoder().encode(name)
    );
    for (let first = 0; first < 256; first++) {
      for (let length = 0; length < 6; length++) {
        const short = new Uint8Array(length).fill(first);
        const fourCc = fourCcs[(first + length) % fourCcs.length] ?? short;
        const long = Uint8Array.of(first, ...fourCc, ...new Uint8Array(length * 5).fill(first ^ length));
        for (const typeId of [8, 9, 18]) {
          for (const payload of [short, long]) feed.write(typeId, first * 40, payload);
        }
      }
      await settle();
    }
    feed.write(9, 20_000, new Uint8Array(0x100_0000).fill(0x27));
    await recorded.over();
    assert.ok(recordings.totals.files > 0);
    assert.deepEqual(recordings.totals.failures, {
      "disk-full": 0,
      "disk-low": 0,
      "disk-slow": 0,
      "not-writable": 0,
      "io-error": 0,
    });
    assert.equal(recorded.descriptors, 0);
  });
}

Deno.test("dvr_apply names the streams that are recorded", async () => {
  for (const [apply, files] of [[["live/s"], 1], [["live/other", "s"], 0]] as const) {
    const recorded = new Recorded({ apply });
    recorded.feed.keyframe(0);
    await recorded.over();
    assert.equal(recorded.disk.files.length, files);
  }
});
