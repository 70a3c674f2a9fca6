import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { joinBytes } from "../../lib/base/join_bytes.ts";
import { StreamHub } from "../../lib/hub/stream_hub.ts";
import { Amf0EcmaArray, decodeAmf0 } from "../../lib/wire/amf0.ts";
import { newStream, readAll, TEST_STREAM_OPTIONS, TestFeed } from "../fakes/stream_peer.ts";
import { hex, toHex } from "../golden/hex.ts";

const fromGop = { fromGop: true };

Deno.test("a player that joins gets metadata, audio header, video header, the group of pictures, then what comes", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.videoHeader(0, 1);
  feed.audioHeader(0, 2);
  feed.metadata({ width: 1 });
  feed.keyframe(0);
  feed.inter(40);
  feed.audio(45);
  feed.keyframe(1000);
  feed.audio(1010);
  const player = stream.subscribe("rtmp", fromGop);
  assert.deepEqual(readAll(player), ["M0", "A1000#2", "V1000#1", "K1000", "a1010"]);
  feed.inter(1040);
  assert.deepEqual(readAll(player), ["p1040"]);
  assert.deepEqual(readAll(player), []);
  assert.equal(player.jumps, 0);
  assert.equal(player.isBehind, false);
});

Deno.test("a player that waited for its stream gets everything from the first message", () => {
  const stream = newStream();
  const player = stream.subscribe("rtmp", fromGop);
  assert.deepEqual(readAll(player), []);
  const feed = new TestFeed(stream);
  feed.metadata();
  feed.videoHeader(0);
  feed.audioHeader(0);
  feed.keyframe(40);
  feed.audio(20);
  feed.inter(80);
  assert.deepEqual(readAll(player), ["M0", "V0#0", "A0#0", "K40", "a20", "p80"]);
  assert.equal(player.jumps, 0);
});

Deno.test("audio behind video does not look like a queue that is too long", () => {
  const stream = newStream();
  const player = stream.subscribe("rtmp", fromGop);
  const feed = new TestFeed(stream);
  const expected: string[] = [];
  for (let at = 0; at < 3000; at += 40) {
    feed.inter(at + 300);
    feed.audio(at);
    expected.push(`p${at + 300}`, `a${at}`);
  }
  assert.deepEqual(readAll(player), expected);
  assert.equal(player.jumps, 0);
});

Deno.test("metadata and headers can each be off", () => {
  for (
    const [options, expected] of [
      [{ metadata: false }, ["A40#0", "V40#0", "K40"]],
      [{ sequenceHeaders: false }, ["M0", "K40"]],
      [{ gopCache: false }, ["M0", "A50#0", "V50#0"]],
    ] as const
  ) {
    const stream = newStream(options);
    const feed = new TestFeed(stream);
    feed.metadata();
    feed.videoHeader(0);
    feed.audioHeader(0);
    feed.keyframe(40);
    if ("gopCache" in options) feed.audio(50);
    const player = stream.subscribe("rtmp", fromGop);
    assert.deepEqual(readAll(player), expected);
    feed.inter(80);
    assert.deepEqual(readAll(player), ["p80"]);
  }
});

Deno.test("a player may begin at the end though there is a group of pictures", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.videoHeader(0);
  feed.keyframe(0);
  assert.deepEqual(readAll(stream.subscribe("rtmp", { fromGop: false })), ["V0#0"]);
});

Deno.test("a codec header that changes counts for those who join behind it", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.videoHeader(0, 1);
  feed.keyframe(0);
  feed.videoHeader(1000, 2);
  // Until the next key frame a new player is shown the old group, and the change in its place.
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["V0#1", "K0", "V1000#2"]);
  feed.keyframe(1000);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["V1000#2", "K1000"]);
  assert.deepEqual(readAll(player), ["V0#1", "K0", "V1000#2", "K1000"]);
});

Deno.test("headers of several tracks are kept side by side, in the order they last came", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const track = (id: number, tag: number) => hex(`96 00 'hvc1' 0${id} 0${tag}`);
  feed.write(9, 0, track(1, 1));
  feed.write(9, 0, track(0, 2));
  feed.write(9, 0, track(1, 3));
  const bytes = stream.subscribe("rtmp", fromGop).next();
  assert.ok(bytes !== undefined);
  const payloads = [0, 20].map((at) => toHex(bytes.slice(at + 12, at + 20)));
  assert.deepEqual(payloads, [toHex(track(0, 2)), toHex(track(1, 3))]);
});

Deno.test("headers that a group of pictures begins with stay what they were, whatever headers follow", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  for (const tag of [1, 2, 3]) feed.videoHeader(0, tag);
  feed.keyframe(0);
  for (const tag of [4, 5]) feed.videoHeader(0, tag);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["V0#3", "K0", "V0#4", "V0#5"]);
  feed.keyframe(40);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["V40#5", "K40"]);
});

Deno.test("the end of a sequence takes its header away", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.videoHeader(0);
  feed.audioHeader(0);
  feed.write(9, 10, hex("17 02 000000"));
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["A0#0"]);
});

/** A header of one track, so many bytes long. */
function trackHeader(track: number, bytes: number): Uint8Array {
  const header = new Uint8Array(bytes);
  header.set(hex("96 00 'hvc1'"));
  header[6] = track;
  return header;
}

/** Headers that name tracks together, a byte of configuration each. */
function multitrackHeader(tracks: number[]): Uint8Array {
  return joinBytes([hex("96 10 'hvc1'"), ...tracks.map((track) => Uint8Array.of(track, 0, 0, 1, track))]);
}

Deno.test("the headers of 16 tracks are kept, the newest ones", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  for (let track = 0; track < 200; track++) feed.write(9, 0, trackHeader(track, 100));
  const bytes = stream.subscribe("rtmp", fromGop).next() as Uint8Array;
  assert.equal(bytes.length, 16 * 112);
  assert.equal(bytes[12 + 6], 184);
});

Deno.test("no more than a megabyte of headers is kept, the newest ones", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  for (let track = 0; track < 16; track++) feed.write(9, 0, trackHeader(track, 100_000));
  const bytes = stream.subscribe("rtmp", fromGop).next() as Uint8Array;
  assert.ok(
    bytes.length > 1_000_000 && bytes.length <= 1024 * 1024 + 200,
    `${bytes.length} bytes of headers`,
  );
  assert.equal(bytes[12 + 6], 6);
});

Deno.test("a header larger than that goes to those who play, is kept for nobody, and is named", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.videoHeader(0, 1);
  for (let i = 0; i < 2; i++) feed.write(9, 0, joinBytes([hex("17 00"), new Uint8Array(2_000_000)]));
  feed.write(9, 0, multitrackHeader(Array.from({ length: 17 }, (_, track) => track)));
  assert.equal(readAll(player).length, 4);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), [], "not the one before it either");
  assert.deepEqual(feed.leftOut, ["codec header: message-too-large"]);
});

Deno.test("headers of ever other groups of tracks are no more than 32", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  for (let set = 1; set < 2000; set++) {
    feed.write(
      9,
      0,
      multitrackHeader(Array.from({ length: 12 }, (_, bit) => bit).filter((bit) => set & (1 << bit))),
    );
  }
  assert.equal(readAll(stream.subscribe("rtmp", fromGop)).length, 32);
  feed.write(
    9,
    0,
    joinBytes([hex("96 12 'hvc1'"), ...Array.from({ length: 256 }, (_, id) => Uint8Array.of(id, 0, 0, 0))]),
  );
  assert.equal(readAll(stream.subscribe("rtmp", fromGop)).length, 0, "the end of all");
});

Deno.test("those who join within a second share the bytes of the headers, until they change", () => {
  const stream = newStream({ gopCache: false });
  const feed = new TestFeed(stream);
  feed.metadata();
  feed.audioHeader(0, 1);
  feed.audio(0);
  const join = () => stream.subscribe("rtmp", fromGop).next();
  const first = join();
  for (let at = 20; at < 1000; at += 20) feed.audio(at);
  assert.equal(join(), first);
  feed.audio(1000);
  const later = join();
  assert.notEqual(later, first, "headers are not much older than what follows them");
  assert.equal(join(), later);
  feed.audioHeader(1000, 2);
  assert.notEqual(join(), later);
});

for (
  const [what, send] of [
    [
      "data",
      (feed: TestFeed, bytes: Uint8Array) => feed.write(18, 0, joinBytes([hex("02 0005 'onFoo' 0c"), bytes])),
    ],
    ["headers", (feed: TestFeed, bytes: Uint8Array) => feed.write(9, 0, joinBytes([hex("17 00"), bytes]))],
    ["metadata", (feed: TestFeed, bytes: Uint8Array) => feed.metadata({ x: "x".repeat(bytes.length) })],
    ["frames", (feed: TestFeed, bytes: Uint8Array) => feed.inter(40, bytes.length)],
  ] as const
) {
  Deno.test(`${what} of a feed count in the group that is kept`, () => {
    const stream = newStream({ gopCacheMaxBytes: 1_000_000, gopCacheMaxFrames: 0 });
    const feed = new TestFeed(stream);
    feed.keyframe(0, 1000);
    let most = 0;
    for (let i = 0; i < 100; i++) {
      send(feed, new Uint8Array(60_000));
      most = Math.max(most, stream.rtmp.log.capacity);
    }
    assert.ok(most < 3_000_000, `${most} bytes held`);
    assert.ok(!readAll(stream.subscribe("rtmp", fromGop)).includes("K0"));
    const counted = newStream({ gopCacheMaxFrames: 10 });
    const second = new TestFeed(counted);
    second.keyframe(0);
    for (let i = 0; i < 10; i++) send(second, new Uint8Array(10));
    assert.ok(!readAll(counted.subscribe("rtmp", fromGop)).includes("K0"));
  });
}

Deno.test("a group of pictures over its limit of frames is let go of, until the next key frame", () => {
  const stream = newStream({ gopCacheMaxFrames: 3 });
  const feed = new TestFeed(stream);
  feed.keyframe(0);
  feed.inter(40);
  feed.audio(50);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["K0", "p40", "a50"]);
  feed.inter(80);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), []);
  feed.keyframe(120);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["K120"]);
});

Deno.test("0 frames: no limit", () => {
  const stream = newStream({ gopCacheMaxFrames: 0 });
  const feed = new TestFeed(stream);
  feed.keyframe(0);
  for (let at = 1; at < 4000; at++) feed.inter(at);
  assert.equal(readAll(stream.subscribe("rtmp", fromGop)).length, 4000);
});

Deno.test("a group of pictures over its limit of bytes is let go of, and its memory too", () => {
  const stream = newStream({ gopCacheMaxBytes: 1_000_000 });
  const feed = new TestFeed(stream);
  feed.keyframe(0, 100_000);
  let most = 0;
  for (let at = 1; at < 1000; at++) {
    feed.inter(at, 10_000);
    most = Math.max(most, stream.rtmp.log.capacity);
  }
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), []);
  assert.ok(most < 3_000_000, `${most} bytes held`);
});

Deno.test("video that stops makes a stream audio only after 115 audio messages", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.keyframe(0);
  for (let i = 1; i <= 114; i++) feed.audio(i * 20);
  assert.equal(readAll(stream.subscribe("rtmp", fromGop)).length, 115);
  feed.audio(115 * 20);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), []);
  assert.equal(stream.rtmp.hasVideo, false);
  feed.keyframe(3000);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["K3000"]);
});

Deno.test("metadata becomes an ECMA array at time 0, and the newest counts", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  feed.metadata({ width: 1, duration: 9 }, 500);
  feed.metadata({ width: 2 }, 900);
  const [name, array] = decodeAmf0(stream.metadata as Uint8Array);
  assert.equal(name, "onMetaData");
  assert.ok(array instanceof Amf0EcmaArray);
  assert.deepEqual([...array.entries], [["width", 2], ["server", "test"]]);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["M0"]);
});

Deno.test("other data messages go to the players in their place, and are not cached", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.audio(1000);
  feed.write(18, 0, hex("02 000a 'onCuePoint' 05"));
  assert.deepEqual(readAll(player), ["a1000", "d1000"]);
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), []);
});

Deno.test("metadata that can't be read is left out and named once a feed, and the stream goes on", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  const unreadable = hex("02 000a 'onMetaData' 42");
  feed.metadata({ width: 1 });
  for (let at = 0; at < 3; at++) feed.write(18, at, unreadable);
  feed.keyframe(40);
  assert.deepEqual(readAll(player), ["M0", "K40"]);
  assert.deepEqual(
    decodeAmf0(stream.metadata as Uint8Array)[1],
    Amf0EcmaArray.from({ width: 1, server: "test" }),
  );
  assert.deepEqual(feed.leftOut, ["metadata: amf-malformed"]);
  feed.close();
  const second = new TestFeed(stream);
  second.write(18, 0, unreadable);
  assert.deepEqual(second.leftOut, ["metadata: amf-malformed"]);
});

Deno.test("metadata that says nothing leaves in force what was said", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  feed.write(18, 0, hex("02 000a 'onMetaData' 05"));
  feed.write(18, 0, hex("02 000a 'onMetaData'"));
  feed.metadata({});
  assert.deepEqual(readAll(player), []);
  assert.equal(stream.metadata, undefined);
  feed.metadata({ width: 1 });
  feed.metadata({});
  assert.deepEqual(readAll(player), ["M0"]);
  assert.notEqual(stream.metadata, undefined);
  assert.deepEqual(feed.leftOut, []);
});

Deno.test("a second feed is refused while the first holds the stream", () => {
  const stream = newStream();
  const feed = new TestFeed(stream, "one");
  assert.throws(
    () => new TestFeed(stream, "two"),
    (error) =>
      error instanceof RtmpError && error.code === "stream-busy" && /one is publishing/.test(error.message),
  );
  feed.close();
  const second = new TestFeed(stream, "two");
  feed.close();
  assert.equal(stream.feed?.id, "two", "a feed that has left takes nothing away");
  second.close();
  assert.equal(stream.feed, undefined);
});

Deno.test("a feed that returns finds its players, and time goes on", () => {
  const stream = newStream();
  const first = new TestFeed(stream);
  const player = stream.subscribe("rtmp", fromGop);
  first.metadata();
  first.videoHeader(0, 1);
  first.keyframe(0);
  first.inter(5000);
  assert.deepEqual(readAll(player), ["M0", "V0#1", "K0", "p5000"]);
  first.close();
  assert.deepEqual(readAll(player), []);
  const joined = stream.subscribe("rtmp", fromGop);
  assert.deepEqual(readAll(joined), ["M0", "V5000#1"], "the past is not shown as live");
  const second = new TestFeed(stream);
  second.videoHeader(0, 2);
  second.keyframe(0);
  second.inter(40);
  for (const each of [player, joined]) {
    assert.deepEqual(readAll(each), ["V5010#2", "K5010", "p5050"]);
    assert.equal(each.jumps, 0);
  }
  assert.deepEqual(
    readAll(stream.subscribe("rtmp", fromGop)),
    ["V5010#2", "K5010", "p5050"],
    "no old metadata",
  );
});

for (const output of ["flv", "flv-web-socket"] as const) {
  Deno.test(`${output} is built only while someone reads it, and says the same as RTMP`, () => {
    const stream = newStream();
    const feed = new TestFeed(stream);
    feed.metadata();
    feed.videoHeader(0, 1);
    feed.keyframe(0, 70_000);
    feed.inter(40, 200_000);
    const flv = stream.subscribe(output, fromGop);
    const rtmp = stream.subscribe("rtmp", fromGop);
    assert.equal(stream.playerCount, 2);
    feed.audio(50);
    feed.keyframe(1000, 500_000);
    const written = readAll(rtmp);
    assert.deepEqual(written, ["M0", "V0#1", "K0", "p40", "a50", "K1000"]);
    assert.deepEqual(readAll(flv), written);
    const late = stream.subscribe(output, fromGop);
    assert.equal(late.output, flv.output);
    assert.deepEqual(readAll(late), ["M0", "V1000#1", "K1000"]);
    stream.unsubscribe(flv);
    stream.unsubscribe(late);
    const end = flv.output.log.end;
    feed.inter(1040);
    assert.equal(flv.output.log.end, end, "nothing is built for nobody");
    const again = stream.subscribe(output, fromGop);
    assert.notEqual(again.output, flv.output);
    assert.deepEqual(readAll(again), ["M0", "V1000#1", "K1000", "p1040"]);
  });
}

Deno.test("who listens learns of each kind of media once a feed, before its first message", () => {
  const stream = newStream();
  const seen: string[] = [];
  const player = stream.subscribe("flv", fromGop);
  stream.kindListeners.add((typeId) => seen.push(`${typeId} after ${readAll(player).join(" ")}`));
  const first = new TestFeed(stream);
  first.metadata({ width: 1 });
  first.audioHeader(0);
  first.audio(0);
  first.audio(20);
  first.write(9, 30, hex("57 00 00"));
  assert.deepEqual(seen, ["8 after M0"], "a video command is no video");
  first.keyframe(40);
  first.videoHeader(40);
  assert.deepEqual(seen.slice(1).map((each) => each[0]), ["9"]);
  first.close();
  const second = new TestFeed(stream);
  second.videoHeader(0);
  assert.deepEqual(seen.slice(2).map((each) => each[0]), ["9"], "each feed anew");
});

for (const start of [0x7fffffff - 20, 0x80000000 - 2, 0xffffffff - 20]) {
  Deno.test(`a pull's time runs on past ${start}, in 32 bits, in RTMP and FLV`, () => {
    const stream = newStream();
    const feed = new TestFeed(stream, "pull", "pull");
    const players = (["rtmp", "flv"] as const).map((name) => stream.subscribe(name, fromGop));
    const times = [0, 40, 80].map((at) => (start + at) >>> 0);
    feed.write(9, times[0] as number, hex("17 01"), 0);
    feed.write(9, times[1] as number, hex("27 01"), 40);
    feed.write(8, times[2] as number, hex("af 01"), 80);
    for (const player of players) {
      assert.deepEqual(readAll(player), [`K${times[0]}`, `p${times[1]}`, `a${times[2]}`]);
      assert.equal(player.jumps, 0);
    }
  });

  Deno.test(`a publisher whose clock passes ${start} begins at 0 and runs on`, () => {
    const stream = newStream();
    const feed = new TestFeed(stream);
    const player = stream.subscribe("rtmp", fromGop);
    feed.write(9, start, hex("17 00 000000 00"), 0);
    feed.write(9, start, hex("17 01"), 0);
    feed.write(8, (start + 40) >>> 0, hex("af 01"), 40);
    feed.write(9, ((start + 80) & 0x7fffffff) >>> 0, hex("27 01"), 80);
    assert.deepEqual(readAll(player), ["V0#0", "K0", "a40", "p80"]);
  });
}

Deno.test("a pull that breaks and comes back gives its players nothing twice, and new ones the group", () => {
  const stream = newStream();
  const player = stream.subscribe("rtmp", fromGop);
  const group = (feed: TestFeed) => {
    feed.videoHeader(60_000);
    feed.keyframe(60_000);
    feed.audio(60_020);
    feed.inter(60_040);
  };
  const first = new TestFeed(stream, "pull", "pull");
  group(first);
  assert.deepEqual(readAll(player), ["V60000#0", "K60000", "a60020", "p60040"]);
  first.close();
  assert.deepEqual(readAll(stream.subscribe("rtmp", fromGop)), ["V60040#0"]);
  const second = new TestFeed(stream, "pull", "pull");
  group(second);
  second.inter(60_080);
  assert.deepEqual(readAll(player), ["V60040#0", "p60080"]);
  assert.deepEqual(
    readAll(stream.subscribe("rtmp", fromGop)),
    ["V60000#0", "K60000", "a60020", "p60040", "V60040#0", "p60080"],
  );
  assert.equal(player.jumps, 0);
});

Deno.test("a pull that comes back with another stream goes on behind what was sent", () => {
  const stream = newStream();
  const player = stream.subscribe("rtmp", fromGop);
  const first = new TestFeed(stream, "pull", "pull");
  first.keyframe(60_000);
  first.inter(60_040);
  first.close();
  const second = new TestFeed(stream, "pull", "pull");
  second.keyframe(0, 50);
  second.inter(40);
  assert.deepEqual(readAll(player), ["K60000", "p60040", "K60050", "p60090"]);
});

Deno.test("StreamHub keeps a stream while it has a feed or a player", () => {
  const hub = new StreamHub(() => {});
  const open = () => hub.open("/live/s", () => TEST_STREAM_OPTIONS);
  const stream = open();
  assert.equal(open(), stream);
  const feed = new TestFeed(stream);
  assert.equal(hub.release(stream), false);
  const player = stream.subscribe("rtmp", fromGop);
  feed.close();
  assert.equal(hub.release(stream), false);
  stream.unsubscribe(player);
  assert.equal(hub.release(stream), true);
  assert.equal(hub.release(stream), false);
  assert.equal(hub.get("/live/s"), undefined);
  assert.notEqual(open(), stream);
  assert.equal(hub.size, 1);
});
