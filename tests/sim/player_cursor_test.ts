import assert from "node:assert/strict";
import { SegmentMemory, UNWATCHED_SEGMENT_BYTES } from "../../lib/hub/segment_memory.ts";
import { LogHold, StreamLog } from "../../lib/hub/stream_log.ts";
import { PlayFilter } from "../../lib/server/play_filter.ts";
import { newJoinTimes } from "../../lib/server/join_times.ts";
import { PlayRole } from "../../lib/server/play_role.ts";
import type { RoleConnection } from "../../lib/server/role_connection.ts";
import { joinBytes } from "../../lib/base/join_bytes.ts";
import { hex } from "../golden/hex.ts";
import { describeBytes, newStream, readAll, TestFeed } from "../fakes/stream_peer.ts";

const fromGop = { fromGop: true };

/** A key frame every `gopMs`, inter frames and audio every 40 ms between. */
function feedFor(feed: TestFeed, fromMs: number, toMs: number, gopMs: number, bytes = 10): void {
  for (let at = fromMs; at < toMs; at += 40) {
    if (at % gopMs === 0) feed.keyframe(at, bytes);
    else feed.inter(at, bytes);
    feed.audio(at, bytes);
  }
}

Deno.test("a player that lags more than the queue is long jumps to the newest key frame, once", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const slow = stream.subscribe("rtmp", fromGop);
  const fast = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 1000, 1000);
  assert.equal(readAll(slow).length, 50);
  assert.equal(readAll(fast).length, 50);
  for (let at = 1000; at < 9400; at += 40) {
    feedFor(feed, at, at + 40, 1000);
    assert.equal(readAll(fast).length, 2);
  }
  const words = readAll(slow);
  assert.deepEqual(words.slice(0, 3), ["K9000", "a9000", "p9040"]);
  assert.equal(words.length, 20);
  assert.deepEqual([slow.jumps, fast.jumps], [1, 0]);
});

Deno.test("a player that lags less than the queue is long is given everything", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 4800, 1000);
  assert.equal(readAll(player).length, 240);
  assert.equal(player.jumps, 0);
});

Deno.test("a new player is given a group of pictures that is longer than the queue", () => {
  const stream = newStream({ queueLengthMs: 1000 });
  const feed = new TestFeed(stream);
  feedFor(feed, 0, 8000, 100_000);
  const player = stream.subscribe("rtmp", fromGop);
  assert.deepEqual(readAll(player).slice(0, 2), ["K0", "a0"]);
  assert.equal(player.jumps, 0);
  feedFor(feed, 8000, 8040, 100_000);
  assert.deepEqual(readAll(player), ["p8000", "a8000"]);
});

Deno.test("a player that is slow within the newest group has nowhere to jump to, and stays", () => {
  const stream = newStream({ queueLengthMs: 1000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 400, 20_000);
  readAll(player);
  feedFor(feed, 400, 10_000, 20_000);
  assert.deepEqual(readAll(player).slice(0, 1), ["p400"]);
  feedFor(feed, 10_000, 22_000, 20_000);
  assert.deepEqual(readAll(player).slice(0, 1), ["K20000"]);
  assert.equal(player.jumps, 1);
});

Deno.test("with its key frame gone, a player that lags waits for the next one", () => {
  const stream = newStream({ queueLengthMs: 1000, gopCacheMaxFrames: 10 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 400, 100_000);
  readAll(player);
  feedFor(feed, 400, 120_000, 100_000);
  assert.deepEqual(readAll(player), []);
  feedFor(feed, 120_000, 200_000, 100_000);
  assert.deepEqual(readAll(player), []);
  feedFor(feed, 200_000, 200_080, 100_000);
  assert.deepEqual(readAll(player), ["K200000", "a200000", "p200040", "a200040"]);
  assert.equal(player.jumps, 1, "one jump, however long it waited");
});

Deno.test("audio alone: a player that lags jumps to what is newest", () => {
  const stream = newStream({ queueLengthMs: 1000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  for (let at = 0; at < 5000; at += 20) feed.audio(at);
  assert.deepEqual(readAll(player), []);
  feed.audio(5000);
  assert.deepEqual(readAll(player), ["a5000"]);
  assert.equal(player.jumps, 1);
});

Deno.test("a player that jumps over a change of codec headers is given them", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.videoHeader(0, 1);
  feedFor(feed, 0, 1000, 1000);
  readAll(player);
  feed.videoHeader(1000, 2);
  feedFor(feed, 1000, 9040, 1000);
  assert.deepEqual(readAll(player), ["V9000#2", "K9000", "a9000"]);
  feedFor(feed, 9040, 19_040, 1000);
  assert.deepEqual(readAll(player), ["K19000", "a19000"], "none has changed this time");
  assert.equal(player.jumps, 2);
});

Deno.test("a player of audio that jumps over a change of codec headers is given them", () => {
  const stream = newStream({ queueLengthMs: 1000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.audioHeader(0, 1);
  for (let at = 0; at < 400; at += 20) feed.audio(at);
  readAll(player);
  feed.audioHeader(400, 2);
  for (let at = 400; at < 4000; at += 20) feed.audio(at);
  assert.deepEqual(readAll(player), ["A3980#2"]);
  feed.audio(4000);
  assert.deepEqual(readAll(player), ["a4000"]);
});

Deno.test("a player that stalls for ever holds no memory", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const stalled = stream.subscribe("rtmp", fromGop);
  const paused = stream.subscribe("flv", fromGop);
  const reading = stream.subscribe("rtmp", fromGop);
  paused.isPaused = true;
  let most = 0;
  // 10 minutes at about 800 kbps; the queue is 0.5 MB of it.
  for (let at = 0; at < 600_000; at += 40) {
    feedFor(feed, at, at + 40, 2000, 2000);
    readAll(reading);
    most = Math.max(most, stream.rtmp.log.capacity, paused.output.log.capacity);
  }
  assert.ok(most < 2_500_000, `${most} bytes held`);
  assert.deepEqual([stalled.jumps, paused.jumps, reading.jumps], [0, 0, 0]);
  assert.deepEqual(readAll(stalled).slice(0, 1), ["K598000"]);
  paused.isPaused = false;
  assert.deepEqual(readAll(paused).slice(0, 1), ["K598000"]);
  assert.deepEqual([stalled.jumps, paused.jumps], [1, 1]);
});

Deno.test("a stream without players holds its group of pictures and no more", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  let most = 0;
  for (let at = 0; at < 600_000; at += 40) {
    feedFor(feed, at, at + 40, 2000, 2000);
    most = Math.max(most, stream.rtmp.log.capacity);
  }
  assert.ok(most < 2_000_000, `${most} bytes held`);
});

Deno.test("a paused player is given nothing, and goes on where it was when it is short", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 80, 1000);
  readAll(player);
  player.isPaused = true;
  feedFor(feed, 80, 160, 1000);
  assert.equal(player.isBehind, false);
  assert.equal(player.next(), undefined);
  player.isPaused = false;
  assert.equal(player.isBehind, true);
  assert.deepEqual(readAll(player), ["p80", "a80", "p120", "a120"]);
});

Deno.test("pieces are whole messages, and no longer than 256 KiB unless one message is", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.keyframe(0, 700_000);
  for (let at = 40; at < 4000; at += 40) feed.inter(at, 50_000);
  const words: string[] = [];
  const lengths: number[] = [];
  for (let bytes = player.next(); bytes !== undefined; bytes = player.next()) {
    words.push(...describeBytes(player, bytes));
    lengths.push(bytes.length);
  }
  assert.equal(words.length, 100);
  assert.ok((lengths[0] ?? 0) > 700_000);
  assert.ok(lengths.slice(1).every((length) => length <= 256 * 1024), `${lengths}`);
});

Deno.test("what is left of a piece is all of it, or its message alone once the player lags", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feedFor(feed, 0, 400, 1000);
  const piece = player.next() as Uint8Array;
  const first = piece.length / 20;
  assert.equal(player.remainder(piece, 5).length, piece.length - 5);
  feedFor(feed, 400, 9000, 1000);
  assert.equal(player.remainder(piece, 5).length, first - 5, "to the end of the first message");
  assert.equal(player.remainder(piece, first).length, 0, "between two messages");
  assert.equal(player.remainder(piece, first + 1).length, first - 1);
  assert.deepEqual(readAll(player).slice(0, 1), ["K8000"]);
});

Deno.test("a filtered piece is sent to its end", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  const filter = new PlayFilter({ messageStreamId: 2, durationMs: undefined, onFinished: () => {} });
  player.setFilter(filter.needed());
  feedFor(feed, 0, 400, 1000);
  const piece = player.next() as Uint8Array;
  feedFor(feed, 400, 9000, 1000);
  assert.equal(player.remainder(piece, 5).length, piece.length - 5);
});

for (const id of [2, 255, 256, 70_000]) {
  Deno.test(`a player on message stream ${id} is given its own copy, and the others' stays as it is`, () => {
    const stream = newStream();
    const feed = new TestFeed(stream);
    const filtered = stream.subscribe("rtmp", fromGop);
    filtered.setFilter(
      new PlayFilter({ messageStreamId: id, durationMs: undefined, onFinished: () => {} }).needed(),
    );
    const plain = stream.subscribe("rtmp", fromGop);
    feed.keyframe(0, 10_000);
    feed.audio(10);
    for (const [player, expected] of [[filtered, id], [plain, 1]] as const) {
      const bytes = player.next() as Uint8Array;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const second = player.output.format.find(bytes, 0).end;
      assert.deepEqual([view.getUint32(8, true), view.getUint32(second + 8, true)], [expected, expected]);
      assert.deepEqual(describeBytes(player, bytes), ["K0", "a10"]);
    }
  });
}

Deno.test("audio can be switched off and on", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  const filter = new PlayFilter({ messageStreamId: undefined, durationMs: undefined, onFinished: () => {} });
  assert.equal(filter.needed(), undefined, "costs nothing while it changes nothing");
  assert.equal(filter.setReceive("audio", false), false);
  player.setFilter(filter.needed());
  feedFor(feed, 0, 80, 1000);
  assert.deepEqual(readAll(player), ["K0", "p40"]);
  assert.equal(filter.setReceive("audio", true), true);
  assert.equal(filter.needed(), undefined);
  assert.equal(filter.setReceive("audio", true), false, "it is on already");
});

Deno.test("video that is switched on begins at a key frame, with the headers before it, and costs nothing from then on", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.videoHeader(0, 1);
  feed.audioHeader(0, 1);
  const joins = newJoinTimes();
  const connection = {
    runtime: { now: () => 250, joins },
    requester: {},
    writer: { flush() {}, removeSource() {} },
  };
  const role = new PlayRole(
    connection as unknown as RoleConnection,
    { messageStreamId: 1, durationMs: undefined },
    { kind: "local", stream, release: () => {} },
    0,
  );
  const player = role.cursor;
  feed.keyframe(0);
  assert.deepEqual(readAll(player).slice(-1), ["K0"]);
  assert.deepEqual(joins.read().map(([source, { sum }]) => [source, sum]), [
    ["local", 0.25],
    ["relay", 0],
    ["awaited", 0],
  ]);
  role.setReceive("video", false);
  feed.inter(40);
  feed.audio(40);
  feed.videoHeader(40, 2);
  assert.deepEqual(readAll(player), ["a40"]);
  role.setReceive("video", true);
  feed.inter(80);
  feed.audio(80);
  assert.deepEqual(
    readAll(player),
    ["A80#1", "V80#2", "a80"],
    "headers at once, no picture that can't be shown",
  );
  feed.inter(120);
  feed.keyframe(160, 100_000);
  feed.inter(200);
  assert.deepEqual(readAll(player), ["K160", "p200"]);
  feed.inter(240);
  const plain = stream.subscribe("rtmp", fromGop);
  readAll(plain);
  feed.inter(280);
  readAll(player);
  feed.inter(320);
  assert.equal(player.next()?.buffer, plain.output.log.read(plain.offset)?.buffer, "the bytes that all get");
  role.setReceive("video", true);
  feed.inter(360);
  assert.deepEqual(readAll(player), ["p360"], "it is on already: nothing changes");
  role.close();
});

Deno.test("a duration ends the play after so much media, once", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  let finished = 0;
  const player = stream.subscribe("rtmp", fromGop);
  player.setFilter(
    new PlayFilter({ messageStreamId: undefined, durationMs: 100, onFinished: () => finished++ }).needed(),
  );
  feed.metadata();
  feedFor(feed, 5000, 5080, 1000);
  assert.deepEqual(readAll(player), ["M0", "K5000", "a5000", "p5040", "a5040"]);
  assert.equal(finished, 0);
  feedFor(feed, 5080, 5400, 1000);
  assert.deepEqual(readAll(player), ["p5080", "a5080"]);
  assert.equal(finished, 1);
});

Deno.test("a player is told when there may be something, and not after it has left", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  let told = 0;
  const player = stream.subscribe("rtmp", { fromGop: true, onReady: () => told++ });
  feed.keyframe(0);
  stream.rtmp.flushPlayers();
  assert.equal(told, 1);
  stream.unsubscribe(player);
  stream.rtmp.flushPlayers();
  assert.equal(told, 1);
});

Deno.test("StreamLog keeps each message in one segment, and drops segments whole", () => {
  const log = new StreamLog();
  const append = (length: number, value: number) =>
    log.append(length, (target, at) => target.fill(value, at, at + length));
  assert.equal(append(20_000, 1), true);
  assert.equal(append(12_768, 2), false, "32 KiB are full to the last byte");
  assert.equal(append(1, 3), true);
  assert.equal(append(1_000_000, 4), true, "a message longer than any segment");
  assert.deepEqual([log.start, log.end], [0, 1_032_769]);
  assert.deepEqual(log.read(20_000)?.length, 12_768);
  assert.deepEqual([...new Set(log.read(32_769))], [4]);
  assert.equal(log.read(log.end), undefined);
  log.trim(32_767);
  assert.equal(log.start, 0, "the first segment is needed to its last byte");
  log.trim(32_768);
  assert.equal(log.start, 32_768);
  assert.throws(() => log.read(32_767), RangeError);
  log.trim(log.end + 1000);
  assert.equal(log.start, 32_769, "the newest stays");
  const capacity = log.capacity;
  assert.equal(capacity, 1_048_576, "in steps that others fit too");
});

Deno.test("StreamLog's bytes can be shared memory", () => {
  const log = new StreamLog(new SegmentMemory((byteLength) => new SharedArrayBuffer(byteLength)));
  log.append(3, (target, at) => target.set([1, 2, 3], at));
  assert.ok(log.read(0)?.buffer instanceof SharedArrayBuffer);
  assert.deepEqual([...(log.read(1) ?? [])], [2, 3]);
});

Deno.test("a player with a message stream of its own holds no more than 16 KiB that is not shared", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.videoHeader(0);
  feed.keyframe(0, 3_000_000);
  for (let at = 40; at < 4000; at += 40) {
    feed.inter(at, at % 400 === 0 ? 40_000 : 900);
    feed.audio(at, 100);
  }
  const players = [1, 2, 0x1020304].map((messageStreamId) => {
    const player = stream.subscribe("rtmp", fromGop);
    if (messageStreamId !== 1) player.setFilter({ messageStreamId, accept: () => true });
    return { player, messageStreamId };
  });
  const [expected, ...others] = players.map(({ player, messageStreamId }) => {
    const pieces: Uint8Array[] = [];
    for (let bytes = player.next(); bytes !== undefined; bytes = player.next()) {
      const isShared = bytes.buffer.byteLength > 30_000;
      assert.ok(
        isShared || bytes.buffer.byteLength <= 16 * 1024,
        `${bytes.buffer.byteLength} bytes of its own`,
      );
      // Joining in the middle of a message, that one is gone on with whatever is asked meanwhile.
      if (player.isInsideMessage) {
        assert.ok(player.isBehind && player.isUrgent);
        player.isPaused = true;
        pieces.push(bytes, player.next() as Uint8Array);
        assert.equal(player.next(), undefined);
        player.isPaused = false;
      } else {
        pieces.push(bytes);
      }
    }
    const bytes = joinBytes(pieces);
    let ids = 0;
    for (let at = 0; at < bytes.length; at = player.output.format.find(bytes, at).end) {
      assert.equal(new DataView(bytes.buffer).getUint32(at + 8, true), messageStreamId);
      new DataView(bytes.buffer).setUint32(at + 8, 1, true);
      ids++;
    }
    assert.equal(ids, 2 + 2 * 99);
    return bytes;
  });
  for (const bytes of others) assert.deepEqual(bytes, expected);
});

Deno.test("a player lags no more than 32 MiB, however little time that is", () => {
  const stream = newStream({ gopCacheMaxBytes: 1_000_000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.keyframe(40, 1000);
  readAll(player);
  let most = 0;
  for (let i = 0; i < 2000; i++) {
    feed.inter(40, 60_000);
    most = Math.max(most, stream.rtmp.log.capacity);
  }
  assert.ok(most < 40 * 1024 * 1024, `${most} bytes held`);
  assert.deepEqual(readAll(player), [], "it waits for a key frame");
  assert.equal(player.jumps, 1);
  feed.keyframe(40, 1000);
  assert.deepEqual(readAll(player), ["K40"]);
});

Deno.test("a player that lags in data alone holds no more either", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  const data = joinBytes([hex("02 0005 'onFoo' 0c"), new Uint8Array(60_000)]);
  let most = 0;
  for (let i = 0; i < 2000; i++) {
    feed.write(18, 0, data);
    most = Math.max(most, stream.rtmp.log.capacity);
  }
  assert.ok(most < 40 * 1024 * 1024, `${most} bytes held`);
  assert.equal(player.jumps, 0);
  assert.deepEqual(readAll(player), []);
  assert.equal(player.jumps, 1);
});

Deno.test("a message that is given in two pieces is finished, though its player is late and its filter gone", () => {
  const stream = newStream({ queueLengthMs: 1000 });
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  player.setFilter({ messageStreamId: 2, accept: () => true });
  feed.keyframe(0, 50_000);
  const header = player.next() as Uint8Array;
  assert.equal(header.length, 12);
  player.setFilter(undefined);
  feedFor(feed, 1000, 4000, 1000);
  assert.equal(player.remainder(header, 5).length, 7);
  const tail = player.next() as Uint8Array;
  assert.equal(player.remainder(tail, 100).length, 50_000 - 100);
  assert.deepEqual(readAll(player).slice(0, 1), ["K3000"]);
});

/** A log that tells how many segments were new. */
function countedLog(): { log: StreamLog; memory: SegmentMemory; allocated: () => number } {
  let allocated = 0;
  const memory = new SegmentMemory((byteLength) => {
    allocated++;
    return new ArrayBuffer(byteLength);
  });
  return { log: new StreamLog(memory), memory, allocated: () => allocated };
}

Deno.test("StreamLog uses a segment again that nobody was given, and none that somebody may hold for ever", () => {
  const { log, allocated } = countedLog();
  const append = (value: number) =>
    log.append(60_000, (target, at) => target.fill(value, at, at + 60_000), UNWATCHED_SEGMENT_BYTES);
  for (let value = 0; value < 10; value++) {
    append(value);
    log.trim(log.end);
  }
  assert.equal(allocated(), 2, "two by turns");
  append(10);
  const seen = log.read(log.end - 60_000);
  for (let value = 11; value < 20; value++) {
    append(value);
    log.trim(log.end);
  }
  assert.deepEqual([...new Set(seen)], [10], "whoever was given bytes keeps them as they were");
  assert.equal(allocated(), 3);
  assert.deepEqual([...new Set(log.read(log.end - 60_000))], [19]);
});

Deno.test("StreamLog uses a segment again when all its readers have moved on, and not before", () => {
  const { log, memory, allocated } = countedLog();
  const append = (value: number) => {
    log.append(60_000, (target, at) => target.fill(value, at, at + 60_000), UNWATCHED_SEGMENT_BYTES);
    log.trim(log.end);
  };
  const [slow, quick] = [new LogHold(), new LogHold()];
  append(1);
  append(2);
  const seen = log.read(log.end - 60_000, slow);
  log.read(log.end - 60_000, quick);
  for (let value = 3; value < 20; value++) {
    append(value);
    log.read(log.end - 60_000, quick);
  }
  assert.deepEqual([...new Set(seen)], [2], "the slow reader is still at it");
  assert.equal(
    allocated(),
    3,
    "one for the slow reader, and two by turns",
  );
  const keptBytes = memory.keptBytes;
  assert.equal(log.read(log.end, slow), undefined, "it has read all that there is");
  assert.equal(memory.keptBytes - keptBytes, 2 * UNWATCHED_SEGMENT_BYTES);
});

Deno.test("segments for long messages are used again by others of about their length, and few are kept", () => {
  const { log, memory, allocated } = countedLog();
  for (let i = 0; i < 100; i++) {
    log.append(600_000 + 1000 * i, () => {});
    log.trim(log.end);
    assert.ok(memory.keptBytes <= 12 * 1024 * 1024);
  }
  assert.equal(allocated(), 2);
  for (let i = 0; i < 10; i++) {
    log.append(16 * 1024 * 1024, () => {});
    log.trim(log.end);
  }
  assert.equal(allocated(), 4);
  assert.equal(memory.keptBytes, 16 * 1024 * 1024, "one in any case");
});

Deno.test("a player's bytes stay as they are while it writes them, however far the stream goes on", () => {
  const stream = newStream({ gopCacheMaxBytes: 1_000_000 });
  const feed = new TestFeed(stream);
  const players = [1, 2].map((messageStreamId) => {
    const player = stream.subscribe("rtmp", fromGop);
    if (messageStreamId !== 1) player.setFilter({ messageStreamId, accept: () => true });
    return player;
  });
  feed.keyframe(40, 60_000);
  const pieces = players.map((player) => player.next() as Uint8Array);
  const tail = players[1]?.next() as Uint8Array;
  const before = [...pieces, tail].map((bytes) => bytes.slice());
  for (let i = 0; i < 2000; i++) feed.write(9, 40, new Uint8Array(60_000).fill(i));
  assert.deepEqual([...pieces, tail], before);
  // Paused, with nothing left to write, it holds nothing either.
  for (const player of players) {
    player.isPaused = true;
    assert.equal(player.next(), undefined);
  }
});
