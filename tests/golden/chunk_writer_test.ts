import assert from "node:assert/strict";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import {
  chunkedLength,
  encodeChunks,
  readWritten,
  writeChunks,
  writtenPayload,
} from "../../lib/wire/chunk_writer.ts";
import { joinBytes, patternBytes, readMessages } from "../fakes/read_messages.ts";
import { hex, toHex } from "./hex.ts";

const video = { typeId: 9, timestamp: 0x102, messageStreamId: 1, chunkStreamId: 6 };

const cases = [
  {
    name: "one chunk, all fields",
    message: { ...video, messageStreamId: 0x01020304 },
    payload: hex("aabbcc"),
    chunkSize: 128,
    bytes: hex("06 000102 000003 09 04030201 aabbcc"),
  },
  {
    name: "an empty message",
    message: video,
    payload: hex(""),
    chunkSize: 128,
    bytes: hex("06 000102 000000 09 01000000"),
  },
  {
    name: "a payload of exactly one chunk",
    message: video,
    payload: hex("aabbccdd"),
    chunkSize: 4,
    bytes: hex("06 000102 000004 09 01000000 aabbccdd"),
  },
  {
    name: "type 3 headers between chunks",
    message: video,
    payload: hex("aabbccddee"),
    chunkSize: 2,
    bytes: hex("06 000102 000005 09 01000000 aabb c6 ccdd c6 ee"),
  },
  {
    name: "a whole number of chunks: no empty one behind",
    message: video,
    payload: hex("aabbccdd"),
    chunkSize: 2,
    bytes: hex("06 000102 000004 09 01000000 aabb c6 ccdd"),
  },
  {
    name: "the last time without an extension",
    message: { ...video, timestamp: 0xfffffe },
    payload: hex("aa"),
    chunkSize: 128,
    bytes: hex("06 fffffe 000001 09 01000000 aa"),
  },
  {
    name: "an extended time, repeated on each chunk",
    message: { ...video, timestamp: 0xffffff },
    payload: hex("aabbcc"),
    chunkSize: 2,
    bytes: hex("06 ffffff 000003 09 01000000 00ffffff aabb c6 00ffffff cc"),
  },
  {
    name: "only the low 32 bits of a time",
    message: { ...video, timestamp: 0x1_8000_0001 },
    payload: hex("aa"),
    chunkSize: 128,
    bytes: hex("06 ffffff 000001 09 01000000 80000001 aa"),
  },
];

for (const { name, message, payload, chunkSize, bytes } of cases) {
  Deno.test(`writeChunks writes ${name}`, () => {
    assert.deepEqual(toHex(encodeChunks(message, payload, chunkSize)), toHex(bytes));
    assert.equal(chunkedLength(payload.length, message.timestamp, chunkSize), bytes.length);
    const target = new Uint8Array(bytes.length + 20).fill(0x77);
    assert.equal(writeChunks(target, 10, message, payload, chunkSize), 10 + bytes.length);
    assert.deepEqual(toHex(target.slice(10, -10)), toHex(bytes));
    assert.deepEqual(target.slice(-10), new Uint8Array(10).fill(0x77));
  });

  Deno.test(`readWritten finds ${name}`, () => {
    const shifted = joinBytes(hex("00 00 00"), bytes, hex("06 000000 000000 09 01000000"));
    const found = readWritten(shifted, 3, chunkSize);
    assert.deepEqual(
      { typeId: found.typeId, timestamp: found.timestamp, length: found.payloadLength, end: found.end },
      { typeId: 9, timestamp: message.timestamp >>> 0, length: payload.length, end: 3 + bytes.length },
    );
    assert.deepEqual(toHex(writtenPayload(shifted, found, chunkSize)), toHex(payload));
  });
}

Deno.test("a written payload of one chunk is a view, of several a copy", () => {
  const bytes = encodeChunks(video, patternBytes(100), 128);
  assert.equal(writtenPayload(bytes, readWritten(bytes, 0, 128), 128).buffer, bytes.buffer);
  const cut = encodeChunks(video, patternBytes(100), 64);
  assert.notEqual(writtenPayload(cut, readWritten(cut, 0, 64), 64).buffer, cut.buffer);
});

Deno.test("what writeChunks writes, ChunkReader reads, at every length around the chunk size", () => {
  const reader = new ChunkReader();
  for (const timestamp of [0, 1, 0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff]) {
    for (const length of [0, 1, 127, 128, 129, 255, 256, 257, 1000]) {
      const payload = patternBytes(length, length);
      const [read, ...more] = readMessages(
        [encodeChunks({ ...video, timestamp }, payload, 128)],
        undefined,
        reader,
      );
      assert.equal(more.length, 0);
      assert.equal(read?.timestamp, timestamp);
      assert.deepEqual(read.payload, payload);
    }
  }
});
