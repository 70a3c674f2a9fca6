import assert from "node:assert/strict";
import { RtmpError, type RtmpErrorCode } from "../../lib/base/errors.ts";
import { decodeAmf3 } from "../../lib/wire/amf3_decoder.ts";
import { encodeAmf3 } from "../../lib/wire/amf3_encoder.ts";
import {
  Amf3Array,
  Amf3Date,
  Amf3Dictionary,
  Amf3Object,
  type Amf3Value,
  Amf3Vector,
  Amf3Xml,
} from "../../lib/wire/amf3_value.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { hex } from "./hex.ts";

const POINT = { className: "Point", sealedNames: ["x", "y"], isDynamic: false };
const shared = new Amf3Array([1]);
const cycle = new Amf3Object();
cycle.entries.set("me", cycle);

/** Bytes and values that stand for each other, both ways. */
const CASES: { name: string; bytes: string; values: Amf3Value[] }[] = [
  { name: "undefined, null, false and true", bytes: "00 01 02 03", values: [undefined, null, false, true] },
  { name: "integers of one byte", bytes: "04 00 04 7f", values: [0, 127] },
  { name: "integers of two bytes", bytes: "04 8100 04 ff7f", values: [128, 16_383] },
  { name: "integers of three bytes", bytes: "04 818000 04 ffff7f", values: [16_384, 2_097_151] },
  { name: "integers of four bytes", bytes: "04 80c08000 04 bfffffff", values: [2_097_152, 268_435_455] },
  { name: "negative integers", bytes: "04 ffffffff 04 c0808000", values: [-1, -268_435_456] },
  {
    name: "numbers that are no 29-bit integers",
    bytes: "05 41b0000000000000 05 8000000000000000 05 3fe0000000000000 05 7ff8000000000000",
    values: [268_435_456, -0, 0.5, NaN],
  },
  { name: "strings", bytes: "06 01 06 05 'hi' 06 05 c3a9", values: ["", "hi", "é"] },
  {
    name: "a string that is said again",
    bytes: "09 07 01 06 03 'a' 06 01 06 00",
    values: [new Amf3Array(["a", "", "a"])],
  },
  { name: "date", bytes: "08 01 40f86a0000000000", values: [new Amf3Date(100_000)] },
  {
    name: "both kinds of XML",
    bytes: "0b 09 '<a/>' 07 09 '<b/>'",
    values: [new Amf3Xml("<a/>"), new Amf3Xml("<b/>", true)],
  },
  { name: "bytes", bytes: "0c 07 010203 0c 01", values: [hex("010203"), hex("")] },
  {
    name: "array with names",
    bytes: "09 05 03 'k' 03 01 04 01 04 02",
    values: [new Amf3Array([1, 2], new Map([["k", true]]))],
  },
  {
    name: "anonymous object",
    bytes: "0a 0b 01 03 'a' 04 01 01",
    values: [new Amf3Object(new Map([["a", 1]]))],
  },
  {
    name: "two objects of one class",
    bytes: "09 05 01 0a 23 0b 'Point' 03 'x' 03 'y' 04 01 04 02 0a 01 04 03 04 04",
    values: [
      new Amf3Array([
        new Amf3Object(new Map([["x", 1], ["y", 2]]), POINT),
        new Amf3Object(new Map([["x", 3], ["y", 4]]), POINT),
      ]),
    ],
  },
  {
    name: "object with sealed and dynamic properties",
    bytes: "0a 1b 03 'C' 03 'x' 04 01 03 'z' 04 02 01",
    values: [
      new Amf3Object(new Map([["x", 1], ["z", 2]]), { className: "C", sealedNames: ["x"], isDynamic: true }),
    ],
  },
  {
    name: "an array that comes again",
    bytes: "09 05 01 09 03 01 04 01 09 02",
    values: [new Amf3Array([shared, shared])],
  },
  { name: "an object that holds itself", bytes: "0a 0b 01 05 'me' 0a 00 01", values: [cycle] },
  {
    name: "vectors of numbers",
    bytes: "0d 03 00 ffffffff 0e 03 01 ffffffff 0f 03 00 3fe0000000000000",
    values: [
      new Amf3Vector("int", [-1]),
      new Amf3Vector("uint", [4_294_967_295], true),
      new Amf3Vector("double", [0.5]),
    ],
  },
  {
    name: "vector of objects",
    bytes: "10 03 00 03 'C' 06 03 'v'",
    values: [new Amf3Vector("object", ["v"], false, "C")],
  },
  {
    name: "dictionary",
    bytes: "11 03 01 04 05 06 03 'v'",
    values: [new Amf3Dictionary([[5, "v"]], true)],
  },
];

for (const { name, bytes, values } of CASES) {
  Deno.test(`decodeAmf3() reads ${name}`, () => {
    assert.deepEqual(decodeAmf3(hex(bytes)), values);
  });
  Deno.test(`encodeAmf3() writes ${name}`, () => {
    assert.deepEqual(encodeAmf3(values), hex(bytes));
  });
}

Deno.test("decodeAmf3() gives what a known externalizable class wraps", () => {
  const name = "'flex.messaging.io.ArrayCollection'";
  const [array] = decodeAmf3(hex(`09 05 01 0a 07 43 ${name} 09 03 01 04 01 0a 02`));
  assert(array instanceof Amf3Array);
  assert.deepEqual(array.items[0], new Amf3Array([1]));
  assert.equal(array.items[1], array.items[0]);
});

Deno.test("traits that objects share on the wire are written once again", () => {
  const names = Array.from({ length: 50 }, (_, index) => `property${index}`);
  const traits = { className: "Sample", sealedNames: names, isDynamic: false };
  const objects = Array.from({ length: 20 }, () => new Amf3Object(new Map(), traits));
  const bytes = encodeAmf3([new Amf3Array(objects)]);
  assert.deepEqual(encodeAmf3(decodeAmf3(bytes)), bytes);
});

Deno.test("decodeAmf3() forgets its tables after each value", () => {
  assert.deepEqual(decodeAmf3(hex("06 03 'a' 09 03 01 06 03 'b'")), ["a", new Amf3Array(["b"])]);
  assert.throws(() => decodeAmf3(hex("06 03 'a' 06 00")), isError("amf-malformed"));
});

const BAD: { name: string; bytes: string; code: RtmpErrorCode }[] = [
  { name: "an unknown marker", bytes: "12", code: "amf-malformed" },
  { name: "a cut integer", bytes: "04 ff", code: "amf-malformed" },
  { name: "a cut string", bytes: "06 05 'h'", code: "amf-malformed" },
  { name: "a string reference to nothing", bytes: "06 00", code: "amf-malformed" },
  { name: "an object reference to nothing", bytes: "0a 00", code: "amf-malformed" },
  { name: "a traits reference to nothing", bytes: "0a 01", code: "amf-malformed" },
  { name: "an array that is longer than its message", bytes: "09 13 01", code: "amf-malformed" },
  { name: "an object without an end", bytes: "0a 0b 01", code: "amf-malformed" },
  { name: "an unknown externalizable class", bytes: "0a 07 03 'E' 00", code: "amf-malformed" },
  { name: "bytes that are longer than their message", bytes: "0c ffffffff", code: "amf-malformed" },
  { name: "a string of 2^28 - 1 bytes", bytes: "06 ffffffff", code: "amf-limit" },
  { name: "an array of 2^28 - 1 items", bytes: "09 ffffffff 01", code: "amf-limit" },
  { name: "a vector of 2^28 - 1 items", bytes: "0d ffffffff 00", code: "amf-limit" },
  { name: "a dictionary of 2^28 - 1 pairs", bytes: "11 ffffffff 00", code: "amf-limit" },
  { name: "a class of 2^25 - 1 names", bytes: "0a fffffff3 01", code: "amf-limit" },
  {
    name: "a million nested objects",
    bytes: "0a 0b 01" + " 03 'a' 0a 01".repeat(1_000_000),
    code: "amf-limit",
  },
  {
    name: "a million nested wrappers",
    bytes: "0a 07 43 'flex.messaging.io.ArrayCollection'" + "0a 01".repeat(1_000_000),
    code: "amf-limit",
  },
];
for (const { name, bytes, code } of BAD) {
  Deno.test(`decodeAmf3() refuses ${name}`, () => {
    assert.throws(() => decodeAmf3(hex(bytes), DEFAULT_WIRE_LIMITS), isError(code));
  });
}

function isError(code: RtmpErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof RtmpError && error.code === code;
}
