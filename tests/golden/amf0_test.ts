import assert from "node:assert/strict";
import { RtmpError, type RtmpErrorCode } from "../../lib/base/errors.ts";
import {
  Amf0AvmPlus,
  Amf0Date,
  Amf0EcmaArray,
  Amf0Object,
  Amf0Unsupported,
  type Amf0Value,
  Amf0XmlDocument,
  decodeAmf0,
  encodeAmf0,
} from "../../lib/wire/amf0.ts";
import { Amf3Array, Amf3Date } from "../../lib/wire/amf3_value.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { hex } from "./hex.ts";

/** Bytes and values that stand for each other, both ways. */
const CASES: { name: string; bytes: string; values: Amf0Value[] }[] = [
  { name: "nothing", bytes: "", values: [] },
  { name: "number", bytes: "00 3ff8000000000000", values: [1.5] },
  { name: "negative zero", bytes: "00 8000000000000000", values: [-0] },
  { name: "not a number", bytes: "00 7ff8000000000000", values: [NaN] },
  { name: "booleans", bytes: "01 01 01 00", values: [true, false] },
  { name: "string", bytes: "02 0007 'connect'", values: ["connect"] },
  { name: "empty string", bytes: "02 0000", values: [""] },
  { name: "string with a byte order mark", bytes: "02 0004 efbbbf 61", values: ["\ufeffa"] },
  { name: "null and undefined", bytes: "05 06", values: [null, undefined] },
  { name: "empty object", bytes: "03 000009", values: [new Amf0Object()] },
  {
    name: "connect",
    bytes: "02 0007 'connect' 00 3ff0000000000000 03 0003 'app' 02 0004 'live' " +
      "0005 'tcUrl' 02 0011 'rtmp://host1/live' 000009",
    values: ["connect", 1, Amf0Object.from({ app: "live", tcUrl: "rtmp://host1/live" })],
  },
  {
    name: "ECMA array",
    bytes: "08 00000001 0005 'width' 00 4094000000000000 000009",
    values: [Amf0EcmaArray.from({ width: 1280 })],
  },
  {
    name: "object with an empty name",
    bytes: "03 0000 05 000009",
    values: [new Amf0Object(new Map([["", null]]))],
  },
  { name: "strict array", bytes: "0a 00000002 02 0004 'hvc1' 05", values: [["hvc1", null]] },
  { name: "empty strict array", bytes: "0a 00000000", values: [[]] },
  { name: "date", bytes: "0b 4276358b77d8a000 ffc4", values: [new Amf0Date(1526201810314, -60)] },
  { name: "XML document", bytes: "0f 00000004 '<a/>'", values: [new Amf0XmlDocument("<a/>")] },
  {
    name: "typed object",
    bytes: "10 0005 'Point' 0001 'x' 00 3ff0000000000000 000009",
    values: [new Amf0Object(new Map([["x", 1]]), "Point")],
  },
  {
    name: "movie clip, unsupported and record set",
    bytes: "04 0d 0e",
    values: [new Amf0Unsupported("movieClip"), new Amf0Unsupported(), new Amf0Unsupported("recordSet")],
  },
  {
    name: "AMF3 array between AMF0 values",
    bytes: "05 11 09 05 01 04 01 06 03 61 01 00",
    values: [null, new Amf0AvmPlus(new Amf3Array([1, "a"])), false],
  },
  { name: "AMF3 date", bytes: "11 08 01 0000000000000000", values: [new Amf0AvmPlus(new Amf3Date(0))] },
];
{
  const shared = new Amf0Object(new Map([["a", 1]]));
  CASES.push({
    name: "reference to an object",
    bytes: "0a 00000002 03 0001 'a' 00 3ff0000000000000 000009 07 0001",
    values: [[shared, shared]],
  });
  const cycle = new Amf0Object();
  cycle.entries.set("me", cycle);
  CASES.push({
    name: "reference to the object around it",
    bytes: "03 0002 'me' 07 0000 000009",
    values: [cycle],
  });
}

for (const { name, bytes, values } of CASES) {
  Deno.test(`decodeAmf0() reads ${name}`, () => {
    assert.deepEqual(decodeAmf0(hex(bytes)), values);
  });
  Deno.test(`encodeAmf0() writes ${name}`, () => {
    assert.deepEqual(encodeAmf0(values), hex(bytes));
  });
}

/** Other spellings: read, but never written. */
const LENIENT: { name: string; bytes: string; values: Amf0Value[] }[] = [
  {
    name: "an ECMA array whose count is wrong",
    bytes: "08 ffffffff 0001 'a' 05 000009 01 02",
    values: [Amf0EcmaArray.from({ a: null }), true],
  },
  {
    name: "an object that the end of the message ends",
    bytes: "03 0001 'a' 05",
    values: [Amf0Object.from({ a: null })],
  },
  {
    name: "an ECMA array that the end of the message ends",
    bytes: "08 00000000",
    values: [new Amf0EcmaArray()],
  },
  { name: "a long string that is short", bytes: "0c 00000001 'a'", values: ["a"] },
  { name: "bytes that are not UTF-8", bytes: "02 0003 61 ff 62", values: ["a\ufffdb"] },
  {
    name: "the last of two properties with one name",
    bytes: "03 0001 'a' 05 0001 'a' 06 000009",
    values: [
      Amf0Object.from({ a: undefined }),
    ],
  },
  { name: "AMF3 scalars as plain scalars", bytes: "11 06 05 'hi' 11 04 7f 11 03", values: ["hi", 127, true] },
];
for (const { name, bytes, values } of LENIENT) {
  Deno.test(`decodeAmf0() reads ${name}`, () => {
    assert.deepEqual(decodeAmf0(hex(bytes)), values);
  });
}

const BAD: { name: string; bytes: string | Uint8Array; code: RtmpErrorCode }[] = [
  { name: "an unknown marker", bytes: "12", code: "amf-malformed" },
  { name: "an end marker where a value should be", bytes: "09", code: "amf-malformed" },
  { name: "a cut number", bytes: "00 3ff0", code: "amf-malformed" },
  { name: "a cut string", bytes: "02 0005 'abc'", code: "amf-malformed" },
  { name: "a cut name", bytes: "03 0005 'abc'", code: "amf-malformed" },
  { name: "a name without a value", bytes: "03 0001 'a'", code: "amf-malformed" },
  { name: "a reference to nothing", bytes: "07 0000", code: "amf-malformed" },
  { name: "a strict array longer than its message", bytes: "0a 000003ff 05", code: "amf-malformed" },
  { name: "a strict array of 2^32 - 1 elements", bytes: "0a ffffffff", code: "amf-limit" },
  { name: "a long string of 2^32 - 1 bytes", bytes: "0c ffffffff", code: "amf-limit" },
  { name: "an XML document of 2^32 - 1 bytes", bytes: "0f ffffffff", code: "amf-limit" },
  { name: "a million nested objects", bytes: repeat("03 0001 'a'", 1_000_000), code: "amf-limit" },
  { name: "a million nested arrays", bytes: repeat("0a 00000001", 1_000_000), code: "amf-limit" },
  {
    name: "a million nested AMF3 arrays",
    bytes: hex("11" + "09 03 01".repeat(1_000_000)),
    code: "amf-limit",
  },
  { name: "a million nulls", bytes: repeat("05", 1_000_000), code: "amf-limit" },
  {
    name: "an object with 1025 properties",
    bytes: hex("03" + "0001 'a' 05".repeat(1025)),
    code: "amf-limit",
  },
];
for (const { name, bytes, code } of BAD) {
  Deno.test(`decodeAmf0() refuses ${name}`, () => {
    const input = typeof bytes === "string" ? hex(bytes) : bytes;
    assert.throws(() => decodeAmf0(input), (error) => error instanceof RtmpError && error.code === code);
  });
}

Deno.test("decodeAmf0() keeps the order of names", () => {
  const [object] = decodeAmf0(hex("03 0001 'b' 05 0001 '2' 05 0001 'a' 05 0001 '1' 05 000009"));
  assert(object instanceof Amf0Object);
  assert.deepEqual([...object.entries.keys()], ["b", "2", "a", "1"]);
});

Deno.test("decodeAmf0() accepts as many levels as the limit, and not one more", () => {
  const limits = { ...DEFAULT_WIRE_LIMITS, maxAmfDepth: 2 };
  // Side by side is not deeper.
  assert.deepEqual(decodeAmf0(hex("0a 00000002 0a 00000000 0a 00000000 03 000009"), limits), [
    [[], []],
    new Amf0Object(),
  ]);
  assert.throws(
    () => decodeAmf0(hex("0a 00000001 0a 00000001 0a 00000000"), limits),
    (error) => error instanceof RtmpError && error.code === "amf-limit",
  );
});

Deno.test("encodeAmf0() writes 65536 bytes of text as a long string", () => {
  const text = "a".repeat(65_536);
  const bytes = encodeAmf0([text]);
  assert.deepEqual(bytes.subarray(0, 6), hex("0c 00010000 'a'"));
  assert.deepEqual(decodeAmf0(bytes), [text]);
  assert.equal(encodeAmf0([text.slice(1)])[0], 0x02);
});

Deno.test("encodeAmf0() loses nothing wherever its buffer has to grow", () => {
  const tail: Amf0Value[] = [1.5, true, "abc", null, new Amf0Date(1, -1), Amf0EcmaArray.from({ a: [2] })];
  for (let length = 180; length < 260; length++) {
    const values = ["x".repeat(length), ...tail];
    assert.deepEqual(decodeAmf0(encodeAmf0(values)), values, `after ${length} bytes`);
  }
});

Deno.test("encodeAmf0() refuses a name of more than 65535 bytes", () => {
  assert.throws(
    () => encodeAmf0([Amf0Object.from({ ["a".repeat(65_536)]: 1 })]),
    (error) => error instanceof RtmpError && error.code === "amf-limit",
  );
});

Deno.test("Amf0Object accessors give a property only as the type asked for", () => {
  const object = Amf0EcmaArray.from({ width: 640, encoder: "obs" });
  assert.equal(object.getNumber("width"), 640);
  assert.equal(object.getString("width"), undefined);
  assert.equal(object.getString("encoder"), "obs");
  assert.equal(object.getNumber("encoder"), undefined);
  assert.equal(object.get("Width"), undefined);
});

function repeat(pattern: string, times: number): Uint8Array {
  const one = hex(pattern);
  const all = new Uint8Array(one.byteLength * times);
  for (let i = 0; i < times; i++) all.set(one, i * one.byteLength);
  return all;
}
