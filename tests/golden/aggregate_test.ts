import assert from "node:assert/strict";
import { type AggregatePart, splitAggregate } from "../../lib/wire/aggregate.ts";
import { hex } from "./hex.ts";

const CASES: { name: string; bytes: string; timestamp: number; parts: AggregatePart[] }[] = [
  { name: "nothing", bytes: "", timestamp: 5, parts: [] },
  {
    name: "audio and video on another clock",
    bytes: "08 000002 000064 00 000000 af01 0000000d 09 000001 000078 00 000000 27 0000000c",
    timestamp: 1000,
    parts: [
      { typeId: 8, timestamp: 1000, payload: hex("af01") },
      { typeId: 9, timestamp: 1020, payload: hex("27") },
    ],
  },
  {
    name: "timestamps of more than 24 bits",
    bytes: "08 000000 fffff0 12 000000 0000000b 08 000000 000010 13 000000 0000000b",
    timestamp: 0x12fffff0,
    parts: [
      { typeId: 8, timestamp: 0x12fffff0, payload: hex("") },
      { typeId: 8, timestamp: 0x13000010, payload: hex("") },
    ],
  },
  {
    name: "a clock that wraps around",
    bytes: "12 000000 000000 00 000000 0000000b 12 000000 000020 00 000000 0000000b",
    timestamp: 0xfffffff0,
    parts: [
      { typeId: 18, timestamp: 0xfffffff0, payload: hex("") },
      { typeId: 18, timestamp: 0x10, payload: hex("") },
    ],
  },
  {
    name: "parts that go back in time",
    bytes: "09 000000 000020 00 000000 0000000b 08 000000 000010 00 000000 0000000b",
    timestamp: 100,
    parts: [
      { typeId: 9, timestamp: 100, payload: hex("") },
      { typeId: 8, timestamp: 84, payload: hex("") },
    ],
  },
];

for (const { name, bytes, timestamp, parts } of CASES) {
  Deno.test(`splitAggregate() splits ${name}`, () => {
    assert.deepEqual(splitAggregate(hex(bytes), timestamp), { parts, error: undefined });
  });
}

const PART = "08 000002 000064 00 000000 af01 0000000d";

Deno.test("splitAggregate() gives what comes before the place where a payload is cut off", () => {
  const bytes = hex(PART + PART);
  const length = bytes.byteLength / 2;
  for (let end = 0; end <= bytes.byteLength; end++) {
    const { parts, error } = splitAggregate(bytes.subarray(0, end), 0);
    assert.equal(parts.length, Math.floor(end / length), `cut at ${end}`);
    assert.equal(error?.code, end % length === 0 ? undefined : "aggregate-malformed", `cut at ${end}`);
  }
});

Deno.test("splitAggregate() takes no more than 65536 of a million empty parts", () => {
  const { parts, error } = splitAggregate(new Uint8Array(15 * 1_000_000), 0);
  assert.equal(parts.length, 65_536);
  assert.equal(error?.code, "aggregate-malformed");
});
