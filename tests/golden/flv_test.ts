import assert from "node:assert/strict";
import { RtmpError, type RtmpErrorCode } from "../../lib/base/errors.ts";
import { flvHeader, FlvReader, type FlvTag, flvTagBytes, writeFlvTag } from "../../lib/wire/flv.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { hex } from "./hex.ts";

const HEADER = "'FLV' 01 05 00000009 00000000";

/** Tags and the bytes that stand for each other, both ways. */
const CASES: { name: string; bytes: string; tag: FlvTag }[] = [
  {
    name: "AAC header",
    bytes: "08 000004 000000 00 000000 af001210 0000000f",
    tag: { typeId: 8, timestamp: 0, payload: hex("af001210") },
  },
  {
    name: "video frame after more than 24 bits of time",
    bytes: "09 000002 345678 12 000000 2701 0000000d",
    tag: { typeId: 9, timestamp: 0x12345678, payload: hex("2701") },
  },
  {
    name: "script data",
    bytes: "12 000001 000001 00 000000 05 0000000c",
    tag: { typeId: 18, timestamp: 1, payload: hex("05") },
  },
  {
    name: "empty tag",
    bytes: "08 000000 ffffff ff 000000 0000000b",
    tag: { typeId: 8, timestamp: 0xffffffff, payload: hex("") },
  },
];

for (const { name, bytes, tag } of CASES) {
  Deno.test(`FlvReader reads ${name}`, () => {
    assert.deepEqual(readAll([hex(HEADER + bytes)]), [tag]);
  });
  Deno.test(`writeFlvTag() writes ${name}`, () => {
    const target = new Uint8Array(flvTagBytes(tag.payload.byteLength) + 2);
    const end = writeFlvTag(target, 1, tag.typeId, tag.timestamp, tag.payload);
    assert.equal(end, target.byteLength - 1);
    assert.deepEqual(target.subarray(1, end), hex(bytes));
  });
}

Deno.test("flvHeader() says which media follow", () => {
  assert.deepEqual(flvHeader(true, true), hex(HEADER));
  assert.equal(flvHeader(true, false)[4], 4);
  assert.equal(flvHeader(false, true)[4], 1);
  assert.equal(flvHeader(false, false)[4], 0);
});

Deno.test("writeFlvTag() refuses what does not fit, and writes nothing of it", () => {
  const target = new Uint8Array(20);
  assert.throws(() => writeFlvTag(target, 3, 9, 0, new Uint8Array(3)), RangeError);
  assert.throws(() => writeFlvTag(target, 0, 9, 0, new Uint8Array(0x1000000)), RangeError);
  assert.deepEqual(target, new Uint8Array(20));
});

Deno.test("FlvReader gives the same tags however the bytes are split", () => {
  const bytes = hex(HEADER + CASES.map((one) => one.bytes).join(""));
  const tags = CASES.map((one) => one.tag);
  for (let size = 1; size <= bytes.byteLength; size++) {
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < bytes.byteLength; i += size) pieces.push(bytes.subarray(i, i + size));
    assert.deepEqual(readAll(pieces), tags, `pieces of ${size} bytes`);
  }
});

Deno.test("FlvReader copies: neither its input nor its other tags change a payload", () => {
  const reader = new FlvReader();
  const bytes = hex(HEADER + CASES[0]?.bytes);
  reader.push(bytes);
  const tag = reader.next();
  bytes.fill(0xff);
  reader.push(hex("08 000004 000000 00 000000 eeeeeeee"));
  reader.next();
  assert.deepEqual(tag?.payload, hex("af001210"));
  assert.equal(tag?.payload.buffer.byteLength, 4);
});

Deno.test("FlvReader passes over a longer file header, wrong sizes between tags, and unknown types", () => {
  const bytes = hex(
    "'FLV' 01 00 0000000b eeee 12345678 0f 000001 000000 00 000007 aa ffffffff 08 000000 000002 00 000000",
  );
  assert.deepEqual(readAll([bytes]), [
    { typeId: 15, timestamp: 0, payload: hex("aa") },
    { typeId: 8, timestamp: 2, payload: hex("") },
  ]);
});

const BAD: { name: string; bytes: string; code: RtmpErrorCode }[] = [
  { name: "what is not FLV", bytes: "'<html>'", code: "flv-malformed" },
  { name: "what is not FLV from its third byte on", bytes: "'FLX'", code: "flv-malformed" },
  {
    name: "a file header shorter than itself",
    bytes: "'FLV' 01 05 00000008 00000000",
    code: "flv-malformed",
  },
  { name: "an endless file header", bytes: "'FLV' 01 05 ffffffff", code: "flv-malformed" },
  { name: "an encrypted tag", bytes: HEADER + "29 000001 000000 00 000000", code: "flv-malformed" },
  { name: "reserved bits", bytes: HEADER + "89 000001 000000 00 000000", code: "flv-malformed" },
  {
    name: "a tag that is too large, before its bytes come",
    bytes: HEADER + "09 001001 000000 00 000000",
    code: "message-too-large",
  },
];
for (const { name, bytes, code } of BAD) {
  Deno.test(`FlvReader refuses ${name}, and goes on refusing`, () => {
    const reader = new FlvReader({ ...DEFAULT_WIRE_LIMITS, maxMessageBytes: 4096 });
    reader.push(hex(bytes));
    const isExpected = (error: unknown) => error instanceof RtmpError && error.code === code;
    assert.throws(() => reader.next(), isExpected);
    reader.push(hex(HEADER));
    assert.throws(() => reader.next(), isExpected);
  });
}

function readAll(pieces: Uint8Array[]): FlvTag[] {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let tag = reader.next(); tag !== undefined; tag = reader.next()) tags.push(tag);
  }
  return tags;
}
