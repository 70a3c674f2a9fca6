import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
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
import { rewriteMetadata } from "../../lib/wire/metadata.ts";
import { hex } from "./hex.ts";

const META = "02 000a 'onMetaData'";
const limits = DEFAULT_WIRE_LIMITS;

function amf3(entries: Record<string, Amf3Value>): Amf0AvmPlus {
  return new Amf0AvmPlus(new Amf3Object(new Map(Object.entries(entries))));
}

/** The metadata that comes of a body, without the server's name. */
function rewritten(body: Uint8Array): [string, Amf0Value][] | undefined {
  const bytes = rewriteMetadata(body, "Headwater/0", limits);
  if (bytes === undefined) return undefined;
  assert.equal(bytes[13], 8, "an ECMA array's marker");
  const [name, array, ...rest] = decodeAmf0(bytes);
  assert.equal(name, "onMetaData");
  assert.ok(array instanceof Amf0EcmaArray);
  assert.deepEqual(rest, []);
  const entries = [...array.entries];
  assert.deepEqual(entries.pop(), ["server", "Headwater/0"]);
  return entries;
}

const WIDTH: [string, Amf0Value] = ["width", 128];

Deno.test("rewriteMetadata() makes an ECMA array in the same order, without duration, with the server's name", () => {
  const entries = { width: 128, duration: 6, encoder: "x" };
  const forms = [
    Amf0Object.from(entries),
    Amf0EcmaArray.from(entries),
    new Amf0Object(new Map(Object.entries(entries)), "Typed"),
    amf3(entries),
    new Amf0AvmPlus(new Amf3Array([], new Map(Object.entries(entries)))),
  ];
  for (const described of forms) {
    assert.deepEqual(rewritten(encodeAmf0(["onMetaData", described])), [WIDTH, ["encoder", "x"]]);
  }
});

const KEPT: { name: string; value: Amf0Value; as: Amf0Value }[] = [
  { name: "a number", value: 1.5, as: 1.5 },
  { name: "a boolean", value: false, as: false },
  { name: "a string", value: "é", as: "é" },
  { name: "null", value: null, as: null },
  { name: "a date", value: new Amf0Date(1.7e12, 60), as: new Amf0Date(1.7e12, 60) },
  { name: "an object", value: Amf0Object.from({ a: 1 }), as: Amf0Object.from({ a: 1 }) },
  { name: "an empty object", value: new Amf0Object(), as: new Amf0Object() },
  { name: "an ECMA array", value: Amf0EcmaArray.from({ a: 1 }), as: Amf0EcmaArray.from({ a: 1 }) },
  { name: "an array", value: [1, "a", [null]], as: [1, "a", [null]] },
  { name: "an empty array", value: [], as: [] },
  { name: "a typed object as a plain one", value: new Amf0Object(new Map(), "A"), as: new Amf0Object() },
  { name: "XML as its text", value: new Amf0XmlDocument("<a/>"), as: "<a/>" },
  {
    name: "an array with places for what can't be told",
    value: [1, undefined, new Amf0Unsupported()],
    as: [1, null, null],
  },
  {
    name: "an object of AMF3",
    value: amf3({ a: 1, b: new Amf3Date(5), c: new Amf3Xml("<a/>"), d: new Uint8Array(3) }),
    as: Amf0Object.from({ a: 1, b: new Amf0Date(5), c: "<a/>" }),
  },
  {
    name: "an array of AMF3",
    value: new Amf0AvmPlus(new Amf3Array([1, undefined, "a"])),
    as: [1, null, "a"],
  },
  {
    name: "a mixed array of AMF3 by names",
    value: new Amf0AvmPlus(new Amf3Array([7], new Map([["a", true]]))),
    as: Amf0EcmaArray.from({ a: true, "0": 7 }),
  },
  { name: "a vector", value: new Amf0AvmPlus(new Amf3Vector("int", [1, 2])), as: [1, 2] },
  {
    name: "a dictionary by those of its keys that are names",
    value: new Amf0AvmPlus(new Amf3Dictionary([["a", 1], [2, "b"], [null, 3]])),
    as: Amf0Object.from({ a: 1, "2": "b" }),
  },
];
for (const { name, value, as } of KEPT) {
  Deno.test(`rewriteMetadata() sends on ${name}`, () => {
    assert.deepEqual(rewritten(encodeAmf0(["onMetaData", Amf0Object.from({ x: value })])), [["x", as]]);
  });
}

const LEFT_OUT: { name: string; property: string }[] = [
  { name: "undefined", property: "0001 'x' 06" },
  { name: "a movie clip", property: "0001 'x' 04" },
  { name: "what is unsupported", property: "0001 'x' 0d" },
  { name: "a record set", property: "0001 'x' 0e" },
  { name: "an array that holds itself", property: "0001 'x' 07 0000" },
  { name: "a ByteArray", property: "0001 'x' 11 0c 03 01" },
  { name: "a value without a name", property: "0000 05" },
  { name: "a value whose name FFmpeg can't read", property: `0080 '${"n".repeat(128)}' 05` },
];
for (const { name, property } of LEFT_OUT) {
  Deno.test(`rewriteMetadata() leaves out ${name}, and keeps the rest`, () => {
    const body = hex(`${META} 08 00000002 ${property} 0005 'width' 00 4060000000000000 000009`);
    assert.deepEqual(rewritten(body), [WIDTH]);
  });
}

Deno.test("rewriteMetadata() writes out what is referred to", () => {
  const shared = Amf0Object.from({ a: 1 });
  const body = encodeAmf0(["onMetaData", Amf0Object.from({ x: shared, y: [shared, shared] })]);
  assert.deepEqual(rewritten(body), [["x", shared], ["y", [shared, shared]]]);
  const bytes = rewriteMetadata(body, "s", limits) as Uint8Array;
  const isReference = (at: number) => bytes[at] === 7 && bytes[at + 1] === 0;
  assert.ok(!bytes.some((_, at) => isReference(at)));
});

Deno.test("rewriteMetadata() needs nothing behind the metadata to be AMF", () => {
  assert.deepEqual(rewritten(hex(`${META} 03 0005 'width' 00 4060000000000000 000009 deadbeef`)), [WIDTH]);
});

for (
  const [name, bytes] of [
    ["a name alone", META],
    ["null", `${META} 05`],
    ["a number", `${META} 00 4060000000000000`],
    ["an empty object", `${META} 03 000009`],
    ["an empty array", `${META} 08 00000000 000009`],
    ["nothing but a duration", `${META} 03 0008 'duration' 00 4060000000000000 000009`],
    ["nothing but what can't be told", `${META} 03 0001 'x' 06 000009`],
  ] as const
) {
  Deno.test(`rewriteMetadata() takes ${name} for no metadata`, () => {
    assert.equal(rewriteMetadata(hex(bytes), "x", limits), undefined);
  });
}

/** A chain of arrays, each twice in the next: a few bytes that stand for very many. */
function doubled(times: number): Amf0Value {
  let value: Amf0Value = "a";
  for (let i = 0; i < times; i++) value = [value, value];
  return value;
}

/** Arrays by reference inside one another, which are no deeper than two where they are written. */
function chained(depth: number): Amf0Value[] {
  const links: Amf0Value[][] = [[]];
  for (let i = 1; i < depth; i++) links.push([links[i - 1]]);
  return links;
}

const REFUSED: { name: string; code: string; body: () => Uint8Array }[] = [
  { name: "what is no AMF0", code: "amf-malformed", body: () => hex(`${META} 42`) },
  {
    name: "an object that is cut off",
    code: "amf-malformed",
    body: () => hex(`${META} 03 0005 'width' 00 40`),
  },
  {
    name: "an index of 520 key frames",
    code: "amf-limit",
    body: () => {
      const indexes = () => Array.from({ length: 520 }, (_, index) => index);
      return encodeAmf0([
        "onMetaData",
        Amf0Object.from({ keyframes: Amf0Object.from({ times: indexes(), positions: indexes() }) }),
      ]);
    },
  },
  {
    name: "what nests too deep",
    code: "amf-limit",
    body: () => {
      let value: Amf0Value = 1;
      for (let i = 0; i < 40; i++) value = Amf0Object.from({ a: value });
      return encodeAmf0(["onMetaData", value]);
    },
  },
  {
    name: "what nests too deep by references",
    code: "amf-limit",
    body: () => encodeAmf0(["onMetaData", Amf0Object.from({ x: chained(40) })]),
  },
  {
    name: "what is longer than 64 KiB",
    code: "message-too-large",
    body: () => encodeAmf0(["onMetaData", Amf0Object.from({ a: "x".repeat(40_000), b: "x".repeat(40_000) })]),
  },
  {
    name: "what becomes longer, since each byte that is not UTF-8 becomes three",
    code: "message-too-large",
    body: () => new Uint8Array([...hex(`${META} 03 0001 'x' 02 6000`), ...new Uint8Array(0x6000).fill(0xff)]),
  },
  {
    name: "what becomes longer by references",
    code: "message-too-large",
    body: () => encodeAmf0(["onMetaData", Amf0Object.from({ x: doubled(30) })]),
  },
  {
    name: "what becomes longer by references to one AMF3 string",
    code: "message-too-large",
    body: () => {
      const text = "x".repeat(60_000);
      return encodeAmf0(["onMetaData", new Amf0AvmPlus(new Amf3Object(new Map([["a", text], ["b", text]])))]);
    },
  },
];
for (const { name, code, body } of REFUSED) {
  Deno.test(`rewriteMetadata() refuses ${name}`, () => {
    assert.throws(
      () => rewriteMetadata(body(), "x", limits),
      (error) => error instanceof RtmpError && error.code === code,
    );
  });
}
