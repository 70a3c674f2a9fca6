import { RtmpError } from "../../lib/base/errors.ts";
import { decodeAmf0, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { decodeAmf3 } from "../../lib/wire/amf3_decoder.ts";
import { encodeAmf3 } from "../../lib/wire/amf3_encoder.ts";
import { decodeCommand } from "../../lib/wire/commands.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "../../lib/wire/limits.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fillBytes, refusedOr } from "./inputs.ts";

/** What the limits keep away is looked at all the same. */
const WIDE: WireLimits = {
  ...DEFAULT_WIRE_LIMITS,
  maxAmfProperties: 10_000_000,
  maxAmfStringBytes: 16_000_000,
};

type Kinds = Readonly<Record<string, (size: number) => Uint8Array>>;

function entrance(
  name: string,
  size: number,
  kinds: Kinds,
  handle: (bytes: Uint8Array) => unknown,
): Entrance {
  const prepared = Object.entries(kinds).map(([kind, make]) => [kind, (size: number) => {
    const bytes = make(size);
    return () => refusedOr(RtmpError, () => handle(bytes));
  }]);
  return { name, size, kinds: Object.fromEntries(prepared) };
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const OBJECT_END = bytes(0, 0, 9);

const AMF0: Kinds = {
  "of numbers": (size) => fillBytes([0, 0, 0, 0, 0, 0, 0, 0, 0], size),
  "of nulls": (size) => fillBytes([5], size),
  "of empty strings": (size) => fillBytes([2, 0, 0], size),
  "of one long string": (size) =>
    joinBytes(bytes(12, 0, size >>> 16, size >>> 8, size), fillBytes([0x61], size)),
  "of a long string that is not UTF-8": (size) =>
    joinBytes(bytes(12, 0, size >>> 16, size >>> 8, size), fillBytes([0xff], size)),
  "of empty objects": (size) => fillBytes([3, 0, 0, 9], size),
  "of objects in objects that do not end": (size) => fillBytes([3, 0, 1, 0x61], size),
  "of objects twenty deep": (size) =>
    fillBytes([...Array(20).fill([3, 0, 1, 0x61]).flat(), 5, ...Array(20).fill([0, 0, 9]).flat()], size),
  "of one property over and over": (size) =>
    joinBytes(bytes(3), fillBytes([0, 1, 0x61, 5], size), OBJECT_END),
  "of properties with other names": (size) => {
    const all = fillBytes([0, 3, 0, 0, 0, 5], size);
    for (let at = 0; at < all.length; at += 6) {
      all.set([at >>> 16, at >>> 8, at].map((byte) => byte & 0x7f), at + 2);
    }
    return joinBytes(bytes(8, 0, 0, 0, 0), all, OBJECT_END);
  },
  "of references to one object": (size) => joinBytes(bytes(3), OBJECT_END, fillBytes([7, 0, 0], size)),
  "of an object that holds itself": (size) =>
    joinBytes(bytes(3), fillBytes([0, 1, 0x61, 7, 0, 0], size), OBJECT_END),
  "of arrays that each hold the one before twice": (size) => doublingAmf0(Math.floor(size / 11)),
  "of array counts": (size) => fillBytes([10, 0, 0, 0, 0], size),
  "of dates": (size) => fillBytes([11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], size),
  "of typed objects": (size) => fillBytes([16, 0, 1, 0x61, 0, 0, 9], size),
};

/** [], [#0, #0], [#1, #1], … : each a reference to the one before. */
function doublingAmf0(count: number): Uint8Array {
  const pieces = [bytes(10, 0, 0, 0, 0)];
  for (let i = 1; i < Math.min(count, 65_536); i++) {
    const at = i - 1;
    pieces.push(bytes(10, 0, 0, 0, 2, 7, at >>> 8, at & 0xff, 7, at >>> 8, at & 0xff));
  }
  return joinBytes(...pieces);
}

function u29(value: number): number[] {
  return value < 0x80
    ? [value]
    : value < 0x4000
    ? [(value >> 7) | 0x80, value & 0x7f]
    : [(value >> 14) | 0x80, (value >> 7) | 0x80, value & 0x7f];
}

/** An AMF3 array of `count` elements, made of the same bytes each. */
function array3(unit: readonly number[], size: number, before: readonly number[] = []): Uint8Array {
  const count = Math.floor(size / unit.length);
  const first = before.length === 0 ? 0 : 1;
  return joinBytes(
    bytes(9, ...u29(((count + first) << 1) | 1), 1, ...before),
    fillBytes(unit, count * unit.length),
  );
}

/** As many names as there are bytes for, two letters each, as sealed traits. */
function sealedNames(count: number): number[] {
  return Array.from({ length: count }, (_, i) => [5, 0x41 + (i % 26), 0x41 + (Math.floor(i / 26) % 26)])
    .flat();
}

const AMF3: Kinds = {
  "of integers": (size) => array3([4, 1], size),
  "of empty strings": (size) => array3([6, 1], size),
  "of strings": (size) => array3([6, 5, 0x61, 0x62], size),
  "of references to one long string": (size) => {
    const text = fillBytes([0x61], size >> 1);
    return array3([6, 0], size >> 1, [6, ...u29((text.length << 1) | 1), ...text]);
  },
  "of one long string": (size) => joinBytes(bytes(6, ...u29((size << 1) | 1)), fillBytes([0x61], size)),
  "of empty arrays": (size) => array3([9, 1, 1], size),
  "of named elements": (size) => joinBytes(bytes(9, 1), fillBytes([3, 0x61, 1], size), bytes(1)),
  "of objects with a class of their own": (size) => array3([10, 3, 3, 0x61], size),
  "of objects of one class": (size) => array3([10, 1], size, [10, 3, 3, 0x61]),
  "of objects of one class with a long name": (size) => {
    const text = fillBytes([0x61], size >> 1);
    return array3([10, 1], size >> 1, [10, 3, ...u29((text.length << 1) | 1), ...text]);
  },
  "of classes that differ, with one long name": (size) => {
    const text = fillBytes([0x61], size >> 1);
    return array3([10, 0x13, 0, 0, 1], size >> 1, [10, 3, ...u29((text.length << 1) | 1), ...text]);
  },
  "of objects of one class with many properties": (size) => {
    const names = sealedNames(100);
    return array3([10, 1, ...Array(100).fill(1)], size, [
      10,
      ...u29((100 << 4) | 3),
      1,
      ...names,
      ...Array(100).fill(1),
    ]);
  },
  "of properties that are one long string": (size) => {
    const text = fillBytes([0x61], size >> 2);
    const count = size >> 2;
    const names = [...u29((text.length << 1) | 1), ...text, ...Array(count - 1).fill(0)];
    return joinBytes(
      bytes(10, ...u29((count << 4) | 3), 1),
      Uint8Array.from(names),
      new Uint8Array(count).fill(1),
    );
  },
  "of dynamic properties": (size) => joinBytes(bytes(10, 0xb, 1), fillBytes([3, 0x61, 1], size), bytes(1)),
  "of references to one object": (size) => array3([9, 2], size, [9, 1, 1]),
  "of arrays that each hold the one before twice": (size) => {
    // The outer array is object 0, the first inner one 1.
    const count = Math.floor(size / 10);
    const inner = Array.from(
      { length: count },
      (_, i) => i === 0 ? [9, 1, 1] : [9, 5, 1, 9, ...u29(i << 1), 9, ...u29(i << 1)],
    );
    return joinBytes(bytes(9, ...u29((count << 1) | 1), 1), Uint8Array.from(inner.flat()));
  },
  "of vectors": (size) => array3([13, 1, 0], size),
  "of one long vector": (size) =>
    joinBytes(bytes(13, ...u29(((size >> 2) << 1) | 1), 0), new Uint8Array(size)),
  "of dictionaries": (size) => array3([17, 1, 0], size),
  "of one dictionary": (size) =>
    joinBytes(bytes(17, ...u29((Math.floor(size / 4) << 1) | 1), 0), fillBytes([4, 1, 4, 1], size)),
  "of byte arrays": (size) => array3([12, 1], size),
  "of dates": (size) => array3([8, 1, 0, 0, 0, 0, 0, 0, 0, 0], size),
};

/** AMF3 after the switch, as AMF0 messages carry it. */
const AMF3_IN_AMF0: Kinds = Object.fromEntries(
  Object.entries(AMF3).map(([kind, make]) => [kind, (size: number) => joinBytes(bytes(17), make(size))]),
);
const COMMANDS: Kinds = Object.fromEntries(
  Object.entries(AMF0).map((
    [kind, make],
  ) => [kind, (size: number) => joinBytes(bytes(2, 0, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5), make(size))]),
);

testGrowth([
  entrance("AMF0", 16_384, AMF0, (bytes) => decodeAmf0(bytes, WIDE)),
  entrance("AMF0, written again", 16_384, AMF0, (bytes) => encodeAmf0(decodeAmf0(bytes, WIDE))),
  entrance("AMF0 within our limits", 2048, AMF0, (bytes) => encodeAmf0(decodeAmf0(bytes))),
  entrance("AMF3", 16_384, AMF3, (bytes) => decodeAmf3(bytes, WIDE)),
  entrance("AMF3, written again", 16_384, AMF3, (bytes) => encodeAmf3(decodeAmf3(bytes, WIDE))),
  entrance("AMF3 in AMF0", 16_384, AMF3_IN_AMF0, (bytes) => encodeAmf0(decodeAmf0(bytes, WIDE))),
  entrance("AMF3 in AMF0 within our limits", 8192, AMF3_IN_AMF0, (bytes) => encodeAmf0(decodeAmf0(bytes))),
  entrance("command", 16_384, COMMANDS, (bytes) => decodeCommand(20, bytes, WIDE)),
]);
