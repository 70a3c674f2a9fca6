import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "../../lib/wire/limits.ts";
import { cutEvery, joinBytes, patternBytes, readMessages } from "../fakes/read_messages.ts";
import { hex, toHex } from "./hex.ts";

/** csid, type, timestamp, message stream id, payload length (or the payload in hex). */
type Expected = readonly [number, number, number, number, number | string];

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly messages: readonly Expected[];
  readonly limits?: Partial<WireLimits>;
}

const p = (length: number, first?: number) => patternBytes(length, first);
const SET_CHUNK_SIZE = "02 000000 000004 01 00000000";

const cases: Case[] = [
  {
    name: "type 0: the message stream id is little-endian",
    bytes: hex("04 000102 000003 09 01020304 aabbcc"),
    messages: [[4, 9, 0x102, 0x04030201, "aabbcc"]],
  },
  {
    name: "type 1: time is a delta, the message stream stays",
    bytes: hex("04 000064 000001 09 01000000 aa  44 00000a 000002 08 bbcc"),
    messages: [[4, 9, 100, 1, "aa"], [4, 8, 110, 1, "bbcc"]],
  },
  {
    name: "type 2: length and type stay too",
    bytes: hex("04 000064 000001 09 01000000 aa  84 00000a bb  84 000005 cc"),
    messages: [[4, 9, 100, 1, "aa"], [4, 9, 110, 1, "bb"], [4, 9, 115, 1, "cc"]],
  },
  {
    name: "type 3 begins a message: the last delta again",
    bytes: hex("04 000064 000001 09 01000000 aa  84 00000a bb  c4 cc  c4 dd"),
    messages: [[4, 9, 100, 1, "aa"], [4, 9, 110, 1, "bb"], [4, 9, 120, 1, "cc"], [4, 9, 130, 1, "dd"]],
  },
  {
    name: "type 3 behind type 0: the absolute time counts as the delta (5.3.1.2.4)",
    bytes: hex("04 000064 000001 09 01000000 aa  c4 bb  c4 cc"),
    messages: [[4, 9, 100, 1, "aa"], [4, 9, 200, 1, "bb"], [4, 9, 300, 1, "cc"]],
  },
  {
    name: "type 1 opens a chunk stream, as librtmp's pings do",
    bytes: hex("42 000000 000006 04 0003 00000001"),
    messages: [[2, 4, 0, 0, "000300000001"]],
  },
  {
    name: "ids of two bytes: 64 and 319",
    bytes: hex("00 00 000001 000001 08 00000000 aa  00 ff 000002 000001 08 00000000 bb  c0 00 cc"),
    messages: [[64, 8, 1, 0, "aa"], [319, 8, 2, 0, "bb"], [64, 8, 2, 0, "cc"]],
  },
  {
    name: "ids of three bytes: low byte first, up to 65599",
    bytes: hex("01 00 01 000001 000001 08 00000000 aa  01 ff ff 000002 000001 08 00000000 bb"),
    messages: [[320, 8, 1, 0, "aa"], [65599, 8, 2, 0, "bb"]],
  },
  {
    name: "one id written in two and in three bytes is one chunk stream",
    bytes: hex("00 05 000001 000001 08 00000000 aa  c1 05 00 bb"),
    messages: [[69, 8, 1, 0, "aa"], [69, 8, 2, 0, "bb"]],
  },
  {
    name: "a message of 128 bytes is one chunk, of 129 two",
    bytes: joinBytes(
      hex("04 000000 000080 09 01000000"),
      p(128),
      hex("04 000000 000081 09 01000000"),
      p(128),
      hex("c4 81"),
    ),
    messages: [[4, 9, 0, 1, 128], [4, 9, 0, 1, 129]],
  },
  {
    name: "messages of two chunk streams interleave",
    bytes: joinBytes(
      hex("04 000001 00012c 09 01000000"),
      p(128),
      hex("05 000002 000082 08 01000000"),
      p(128),
      hex("c4"),
      p(128, 129),
      hex("c5"),
      p(2, 129),
      hex("02 000000 000004 03 00000000 01020304"),
      hex("c4"),
      p(44, 257),
    ),
    messages: [[5, 8, 2, 1, 130], [2, 3, 0, 0, "01020304"], [4, 9, 1, 1, 300]],
  },
  {
    name: "abort drops the message under way and nothing else",
    bytes: joinBytes(
      hex("04 000001 00012c 09 01000000"),
      p(128),
      hex("05 000002 000082 08 01000000"),
      p(128),
      hex("02 000000 000004 02 00000000 00000004"),
      hex("c5"),
      p(2, 129),
      hex("04 000003 000001 09 01000000 aa"),
    ),
    messages: [[2, 2, 0, 0, "00000004"], [5, 8, 2, 1, 130], [4, 9, 3, 1, "aa"]],
  },
  {
    name: "abort of a chunk stream that is between messages, or unknown, does nothing",
    bytes: hex(
      `04 000001 000001 09 01000000 aa  02 000000 000004 02 00000000 00000004  c2 00001234  84 000001 bb`,
    ),
    messages: [[4, 9, 1, 1, "aa"], [2, 2, 0, 0, "00000004"], [2, 2, 0, 0, "00001234"], [4, 9, 2, 1, "bb"]],
  },
  {
    name: "messages without a body",
    bytes: hex("04 000001 000000 08 01000000  c4  84 000001  05 000000 000001 08 01000000 aa"),
    messages: [[4, 8, 1, 1, ""], [4, 8, 2, 1, ""], [4, 8, 3, 1, ""], [5, 8, 0, 1, "aa"]],
  },
  {
    name: "chunk size 1",
    bytes: hex(`${SET_CHUNK_SIZE} 00000001  04 000001 000003 09 01000000 aa c4 bb c4 cc`),
    messages: [[2, 1, 0, 0, "00000001"], [4, 9, 1, 1, "aabbcc"]],
  },
  {
    name: "chunk size 2147483647",
    bytes: joinBytes(hex(`${SET_CHUNK_SIZE} 7fffffff  04 000001 001000 09 01000000`), p(4096)),
    messages: [[2, 1, 0, 0, "7fffffff"], [4, 9, 1, 1, 4096]],
  },
  {
    name: "chunk size set in the middle of a message counts from its next chunk on",
    bytes: joinBytes(
      hex("04 000001 000100 09 01000000"),
      p(128),
      hex(`${SET_CHUNK_SIZE} 00000040`),
      hex("c4"),
      p(64, 129),
      hex("c4"),
      p(64, 193),
    ),
    messages: [[2, 1, 0, 0, "00000040"], [4, 9, 1, 1, 256]],
  },
  {
    name: "extended time, one chunk",
    bytes: hex("04 ffffff 000001 09 01000000 01000000 aa"),
    messages: [[4, 9, 0x1000000, 1, "aa"]],
  },
  {
    name: "extended time of exactly 0xffffff",
    bytes: hex("04 ffffff 000001 09 01000000 00ffffff aa"),
    messages: [[4, 9, 0xffffff, 1, "aa"]],
  },
  {
    name: "extended time, repeated on type 3 chunks as FFmpeg and SRS write it",
    bytes: joinBytes(hex("04 ffffff 000082 09 01000000 01000000"), p(128), hex("c4 01000000 8182")),
    messages: [[4, 9, 0x1000000, 1, 130]],
  },
  {
    name: "extended time, not repeated on type 3 chunks",
    bytes: joinBytes(hex("04 ffffff 000086 09 01000000 01000000"), p(128), hex("c4 818283848586")),
    messages: [[4, 9, 0x1000000, 1, 134]],
  },
  {
    name: "extended time, not repeated, and fewer than four bytes are left of the message",
    bytes: joinBytes(hex("04 ffffff 000082 09 01000000 01000000"), p(128), hex("c4 8182")),
    messages: [[4, 9, 0x1000000, 1, 130]],
  },
  {
    name: "extended time of 32 bits, repeated",
    bytes: joinBytes(hex("04 ffffff 000082 09 01000000 81000000"), p(128), hex("c4 81000000 8182")),
    messages: [[4, 9, 0x81000000, 1, 130]],
  },
  {
    name: "extended time of 32 bits, of which 31 are repeated",
    bytes: joinBytes(hex("04 ffffff 000082 09 01000000 81000000"), p(128), hex("c4 01000000 8182")),
    messages: [[4, 9, 0x81000000, 1, 130]],
  },
  {
    name: "extended delta is a delta",
    bytes: hex("04 000064 000001 09 01000000 aa  84 ffffff 01000000 bb"),
    messages: [[4, 9, 100, 1, "aa"], [4, 9, 0x1000064, 1, "bb"]],
  },
  {
    name: "type 3 begins a message behind an extended type 0: its time is absolute",
    bytes: hex("04 ffffff 000001 09 01000000 01000000 aa  c4 01000010 bb"),
    messages: [[4, 9, 0x1000000, 1, "aa"], [4, 9, 0x1000010, 1, "bb"]],
  },
  {
    name: "a plain time behind an extended one ends the extension",
    bytes: hex("04 ffffff 000001 09 01000000 01000000 aa  84 000005 bb  c4 cc"),
    messages: [[4, 9, 0x1000000, 1, "aa"], [4, 9, 0x1000005, 1, "bb"], [4, 9, 0x100000a, 1, "cc"]],
  },
  {
    name: "time wraps at 32 bits",
    bytes: hex("04 ffffff 000001 09 01000000 ffffffff aa  84 000002 bb  84 ffffff ffffffff cc"),
    messages: [[4, 9, 0xffffffff, 1, "aa"], [4, 9, 1, 1, "bb"], [4, 9, 0, 1, "cc"]],
  },
  {
    name: "type 1 and 2 in the middle of a message that change nothing",
    bytes: joinBytes(
      hex("04 000001 000102 09 01000000"),
      p(128),
      hex("44 000000 000102 09"),
      p(128, 129),
      hex("84 000000 0102"),
    ),
    messages: [[4, 9, 1, 1, 258]],
  },
  {
    name: "unknown message types are messages",
    bytes: hex("04 000001 000001 63 01000000 aa"),
    messages: [[4, 0x63, 1, 1, "aa"]],
  },
  {
    name: "as many chunk streams as allowed",
    limits: { maxChunkStreams: 2 },
    bytes: hex("04 000001 000001 09 01000000 aa 05 000001 000001 09 01000000 bb c4 cc"),
    messages: [[4, 9, 1, 1, "aa"], [5, 9, 1, 1, "bb"], [4, 9, 2, 1, "cc"]],
  },
  {
    name: "the longest message",
    limits: { maxMessageBytes: 300 },
    bytes: joinBytes(
      hex("04 000001 00012c 09 01000000"),
      p(128),
      hex("c4"),
      p(128, 129),
      hex("c4"),
      p(44, 257),
    ),
    messages: [[4, 9, 1, 1, 300]],
  },
];

for (const { name, bytes, messages, limits } of cases) {
  Deno.test(`ChunkReader reads ${name}`, () => {
    for (const size of [bytes.length, 1, 2, 3, 5, 127]) {
      const reader = new ChunkReader({ ...DEFAULT_WIRE_LIMITS, ...limits });
      const read = readMessages(cutEvery(bytes, size), undefined, reader);
      assert.deepEqual(
        read.map((m, i) => [
          m.chunkStreamId,
          m.typeId,
          m.timestamp,
          m.messageStreamId,
          typeof messages[i]?.[4] === "number" ? m.payload.length : toHex(m.payload),
        ]),
        messages,
        `in pieces of ${size}`,
      );
      for (const { payload } of read) if (payload.length > 60) assert.deepEqual(payload, p(payload.length));
      assert.equal(reader.bufferedBytes, 0);
    }
  });
}

interface BadCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: string;
  readonly text: RegExp;
  readonly limits?: Partial<WireLimits>;
}

const begun = joinBytes(hex("04 000001 00012c 09 01000000"), p(128));

const badCases: BadCase[] = [
  {
    name: "a chunk stream that begins with type 2",
    bytes: hex("84 000001 aa"),
    code: "chunk-header-type",
    text: /chunk stream 4 begins with header type 2/,
  },
  {
    name: "a chunk stream that begins with type 3",
    bytes: hex("c5"),
    code: "chunk-header-type",
    text: /chunk stream 5 begins with header type 3/,
  },
  {
    name: "type 0 in the middle of a message",
    bytes: joinBytes(begun, hex("04 000001 000001 09 01000000 aa")),
    code: "chunk-header-type",
    text: /after 128 of 300 bytes/,
  },
  {
    name: "a message whose type changes midway",
    bytes: joinBytes(begun, hex("44 000001 00012c 08 aa")),
    code: "chunk-message-changed",
    text: /from type 9 of 300 bytes to type 8 of 300 bytes/,
  },
  {
    name: "a message whose length changes midway",
    bytes: joinBytes(begun, hex("44 000001 00012d 09 aa")),
    code: "chunk-message-changed",
    text: /to type 9 of 301 bytes/,
  },
  { name: "chunk size 0", bytes: hex(`${SET_CHUNK_SIZE} 00000000`), code: "chunk-size", text: /value is 0/ },
  {
    name: "a chunk size of 4 GiB",
    bytes: hex(`${SET_CHUNK_SIZE} ffffffff`),
    code: "chunk-size",
    text: /value is 4294967295/,
  },
  {
    name: "a chunk size of 2 GiB",
    bytes: hex(`${SET_CHUNK_SIZE} 80000000`),
    code: "chunk-size",
    text: /value is 2147483648/,
  },
  {
    name: "a Set Chunk Size without a body",
    bytes: hex("02 000000 000000 01 00000000"),
    code: "message-malformed",
    text: /type 1: 0 bytes, expected 4/,
  },
  {
    name: "an Abort of three bytes",
    bytes: hex("02 000000 000003 02 00000000 000004"),
    code: "message-malformed",
    text: /type 2: 3 bytes, expected 4/,
  },
  {
    name: "a message over the limit, when it is announced",
    limits: { maxMessageBytes: 300 },
    bytes: hex("04 000001 00012d 09 01000000"),
    code: "message-too-large",
    text: /301 bytes announced, limit is 300/,
  },
  {
    name: "one chunk stream too many",
    limits: { maxChunkStreams: 2 },
    bytes: hex(
      "04 000001 000001 09 01000000 aa 05 000001 000001 09 01000000 bb 06 000001 000001 09 01000000 bb",
    ),
    code: "too-many-chunk-streams",
    text: /chunk stream 6: 2 are open, limit is 2/,
  },
  {
    name: "too many bytes of unfinished messages",
    limits: { maxBufferedBytes: 300 },
    bytes: joinBytes(...[4, 5, 6].flatMap((id) => [hex(`0${id} 000001 00012c 09 01000000`), p(128)])),
    code: "input-too-large",
    text: /type 9: \d+ bytes needed, \d+ held for other unfinished messages, limit is 300/,
  },
];

for (const { name, bytes, code, text, limits } of badCases) {
  Deno.test(`ChunkReader refuses ${name}, and stays refused`, () => {
    for (const size of [bytes.length, 1, 3]) {
      const reader = new ChunkReader({ ...DEFAULT_WIRE_LIMITS, ...limits });
      const isExpected = (error: unknown) =>
        error instanceof RtmpError && error.code === code && text.test(error.message);
      assert.throws(() => readMessages(cutEvery(bytes, size), undefined, reader), isExpected);
      reader.push(hex("07 000001 000001 09 01000000 aa"));
      assert.throws(() => reader.next(), isExpected);
    }
  });
}

/** The first chunk of a message that is announced as 16 MiB long. */
function lie(chunkStreamId: number, chunkBytes: number): Uint8Array {
  return joinBytes(Uint8Array.of(chunkStreamId), hex("000001 ffffff 09 01000000"), p(chunkBytes));
}

for (const pieceBytes of [1, 64, 1000]) {
  Deno.test(`ChunkReader makes no room for lengths that lie, in pieces of ${pieceBytes} bytes`, () => {
    const reader = new ChunkReader();
    for (let id = 4; id < 64; id++) readMessages(cutEvery(lie(id, 128), pieceBytes), undefined, reader);
    const aheadBytes = reader.bufferedBytes - 60 * 128;
    assert.ok(aheadBytes <= 128 * 1024 + 60 * 128, `${aheadBytes} bytes ahead of what came`);
    const before = Deno.memoryUsage();
    const more = new ChunkReader();
    for (let id = 4; id < 64; id++) readMessages([lie(id, 128)], undefined, more);
    const grownBytes = Deno.memoryUsage().external - before.external;
    assert.ok(
      grownBytes < 1024 * 1024,
      `${grownBytes} bytes held for 60 messages that say they are 16 MiB long`,
    );
  });
}

Deno.test("ChunkReader holds no more than it is allowed to, and by the limits again when that is taken back", () => {
  const reader = new ChunkReader({ ...DEFAULT_WIRE_LIMITS, maxBufferedBytes: 100_000 });
  const isTooLarge = (limit: number) => (error: unknown) =>
    error instanceof RtmpError && error.code === "input-too-large" &&
    error.message.endsWith(`limit is ${limit}`);
  reader.allow(48 * 1024);
  readMessages(
    [hex(`${SET_CHUNK_SIZE} 00002ee0`), lie(4, 12_000), lie(5, 12_000), lie(6, 12_000)],
    undefined,
    reader,
  );
  assert.ok(reader.bufferedBytes <= 48 * 1024);
  const strict = new ChunkReader();
  strict.allow(48 * 1024);
  readMessages(
    [hex(`${SET_CHUNK_SIZE} 00002ee0`), lie(4, 12_000), lie(5, 12_000), lie(6, 12_000)],
    undefined,
    strict,
  );
  assert.throws(() => readMessages([lie(7, 12_000)], undefined, strict), isTooLarge(49_152));
  reader.allow(Infinity);
  for (const id of [7, 8, 9, 10]) readMessages([lie(id, 12_000)], undefined, reader);
  assert.ok(reader.bufferedBytes <= 100_000);
  assert.throws(() => readMessages([lie(11, 12_000)], undefined, reader), isTooLarge(100_000));
});

Deno.test("ChunkReader reads a message of 16 MiB that comes in chunks of 128 bytes, holding no more than it", () => {
  const reader = new ChunkReader();
  const bytes = encodeChunks(
    { typeId: 9, timestamp: 0, messageStreamId: 1, chunkStreamId: 4 },
    new Uint8Array(16 * 1024 * 1024 - 1).fill(7),
    128,
  );
  let heldBytes = 0;
  let read = 0;
  for (let at = 0; at < bytes.length; at += 65_536) {
    reader.push(bytes.subarray(at, at + 65_536));
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      read = message.payload.length;
    }
    heldBytes = Math.max(heldBytes, reader.bufferedBytes);
  }
  assert.equal(read, 16 * 1024 * 1024 - 1);
  assert.ok(heldBytes <= 16 * 1024 * 1024, `${heldBytes} bytes`);
  assert.equal(reader.bufferedBytes, 0);
});

Deno.test("ChunkReader reads messages of several chunks into the memory of those before, within what may be held", () => {
  const reader = new ChunkReader();
  reader.allow(1024 * 1024);
  const memories = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    const length = 50_000 + (3571 * i) % 5000;
    const payload = new Uint8Array(length).fill(i);
    const bytes = encodeChunks(
      { typeId: 9, timestamp: i, messageStreamId: 1, chunkStreamId: 4 + i % 3 },
      payload,
      128,
    );
    reader.push(bytes);
    const message = reader.next();
    assert.deepEqual(message?.payload, payload);
    assert.equal(reader.next(), undefined);
    memories.add(message?.payload.buffer as ArrayBuffer);
    assert.equal(reader.bufferedBytes, 0);
    assert.ok(reader.spareBytes <= 128 * 1024);
  }
  assert.ok(memories.size < 20, `${memories.size} pieces of memory`);
});

Deno.test("ChunkReader lets go of a key frame's memory when small frames follow", () => {
  const reader = new ChunkReader();
  const send = (length: number) =>
    readMessages(
      [encodeChunks({ typeId: 9, timestamp: 0, messageStreamId: 1, chunkStreamId: 4 }, p(length), 128)],
      undefined,
      reader,
    );
  send(50_000);
  assert.equal(reader.spareBytes, 50_000);
  for (let i = 0; i < 40; i++) send(1000);
  assert.ok(reader.spareBytes <= 1000, `${reader.spareBytes} bytes`);
});

Deno.test("ChunkReader keeps little memory for a stranger's next message, and lets it hold as much as without", () => {
  const reader = new ChunkReader();
  reader.allow(48 * 1024);
  const whole = (id: number, length: number) =>
    encodeChunks({ typeId: 9, timestamp: 0, messageStreamId: 1, chunkStreamId: id }, p(length), 128);
  for (const length of [40_000, 6000, 300]) {
    readMessages([whole(4, length)], undefined, reader);
    assert.ok(reader.spareBytes <= 6 * 1024, `${reader.spareBytes} bytes are kept`);
  }
  for (let id = 5; id < 60; id++) {
    readMessages([whole(4, 6000).subarray(0, 6000), lie(id, 128)], undefined, new ChunkReader());
    readMessages([whole(4, 5000), lie(id, 128)], undefined, reader);
    assert.ok(reader.bufferedBytes + reader.spareBytes <= 60 * 1024);
  }
});

Deno.test("ChunkReader counts what it holds, and lets go of what is complete", () => {
  const reader = new ChunkReader();
  readMessages([begun], undefined, reader);
  assert.equal(reader.bufferedBytes, 300, "a short message has its room at once");
  readMessages([hex("c4")], undefined, reader);
  readMessages([p(128, 129), hex("c4"), p(44, 257)], undefined, reader);
  assert.equal(reader.bufferedBytes, 0);
  readMessages([begun], undefined, reader);
  readMessages([hex("02 000000 000004 02 00000000 00000004")], undefined, reader);
  assert.equal(reader.bufferedBytes, 0, "aborted");
  readMessages([hex("04 0000")], undefined, reader);
  assert.equal(reader.bufferedBytes, 3);
});
