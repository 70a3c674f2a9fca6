/**
 * Writing AMF3, whose values follow marker 0x11 among AMF0 values. The reference tables are those of one value.
 *
 * @module
 * @see Action Message Format AMF 3, Adobe, January 2013
 */
import { RtmpError } from "../base/errors.ts";
import {
  AMF3_MARKER,
  Amf3Array,
  type Amf3Complex,
  Amf3Date,
  Amf3Dictionary,
  Amf3Object,
  type Amf3Traits,
  type Amf3Value,
  Amf3Vector,
  Amf3Xml,
} from "./amf3_value.ts";
import { AmfWriter, encodeUtf8 } from "./amf_writer.ts";

const U28_MAX = 0xfff_ffff;

/** Values one after the other, each with its own reference tables. @throws {RtmpError} `amf-limit`. */
export function encodeAmf3(values: readonly Amf3Value[]): Uint8Array {
  const writer = new AmfWriter();
  for (const value of values) writeAmf3(writer, value);
  return writer.finish();
}

/** One value into a writer that may stand amid AMF0. */
export function writeAmf3(writer: AmfWriter, value: Amf3Value): void {
  new Amf3Encoder(writer).value(value);
}

class Amf3Encoder {
  readonly #writer: AmfWriter;
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<Amf3Complex, number>();
  /** By identity: values that were decoded share what their sender shared, and a key of all names could be far longer than the value. */
  readonly #traits = new Map<Amf3Traits, number>();

  constructor(writer: AmfWriter) {
    this.#writer = writer;
  }

  value(value: Amf3Value): void {
    const writer = this.#writer;
    if (value === undefined) writer.u8(AMF3_MARKER.undefined);
    else if (value === null) writer.u8(AMF3_MARKER.null);
    else if (value === false) writer.u8(AMF3_MARKER.false);
    else if (value === true) writer.u8(AMF3_MARKER.true);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") {
      writer.u8(AMF3_MARKER.string);
      this.#string(value);
    } else this.#complex(value);
  }

  #number(value: number): void {
    // The shifts drop what 29 bits cannot hold, fractions included; only -0 survives them changed.
    if ((value << 3) >> 3 === value && !Object.is(value, -0)) {
      this.#writer.u8(AMF3_MARKER.integer);
      this.#u29(value & 0x1fff_ffff);
    } else {
      this.#writer.u8(AMF3_MARKER.double);
      this.#writer.f64(value);
    }
  }

  #complex(value: Amf3Complex): void {
    const writer = this.#writer;
    writer.u8(markerOf(value));
    const index = this.#objects.get(value);
    if (index !== undefined) {
      this.#u29(index << 1);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    if (value instanceof Uint8Array) {
      this.#count(value.byteLength);
      writer.bytes(value);
    } else if (value instanceof Amf3Date) {
      this.#count(0);
      writer.f64(value.time);
    } else if (value instanceof Amf3Xml) {
      this.#text(value.text);
    } else if (value instanceof Amf3Array) {
      this.#count(value.items.length);
      this.#dynamic(value.entries);
      for (const item of value.items) this.value(item);
    } else if (value instanceof Amf3Dictionary) {
      this.#count(value.pairs.length);
      writer.u8(value.hasWeakKeys ? 1 : 0);
      for (const [key, item] of value.pairs) {
        this.value(key);
        this.value(item);
      }
    } else if (value instanceof Amf3Vector) {
      this.#vector(value);
    } else {
      this.#object(value);
    }
  }

  #object(value: Amf3Object): void {
    const { className, sealedNames, isDynamic } = value.traits;
    const index = this.#traits.get(value.traits);
    if (index === undefined) {
      this.#traits.set(value.traits, this.#traits.size);
      this.#u29((sealedNames.length << 4) | (isDynamic ? 0b1011 : 0b0011));
      this.#string(className);
      for (const name of sealedNames) this.#string(name);
    } else {
      this.#u29((index << 2) | 0b01);
    }
    for (const name of sealedNames) this.value(value.entries.get(name));
    if (isDynamic) this.#dynamic(value.entries, new Set(sealedNames));
  }

  #dynamic(entries: ReadonlyMap<string, Amf3Value>, without?: ReadonlySet<string>): void {
    for (const [name, item] of entries) {
      // The empty name is the end mark, so AMF3 cannot say a property without a name.
      if (name === "" || without?.has(name)) continue;
      this.#string(name);
      this.value(item);
    }
    this.#string("");
  }

  #vector(value: Amf3Vector): void {
    const writer = this.#writer;
    this.#count(value.items.length);
    writer.u8(value.isFixed ? 1 : 0);
    if (value.type === "object") this.#string(value.className);
    for (const item of value.items) {
      if (value.type === "object") this.value(item);
      else if (value.type === "double") writer.f64(Number(item));
      else if (value.type === "uint") writer.u32(Number(item));
      else writer.i32(Number(item));
    }
  }

  #string(text: string): void {
    const index = this.#strings.get(text);
    if (index !== undefined) {
      this.#u29(index << 1);
      return;
    }
    if (text !== "") this.#strings.set(text, this.#strings.size);
    this.#text(text);
  }

  #text(text: string): void {
    const utf8 = encodeUtf8(text);
    this.#count(utf8.byteLength);
    this.#writer.bytes(utf8);
  }

  /** A length or number of elements, which says at the same time that no reference stands here. */
  #count(count: number): void {
    if (count > U28_MAX) {
      throw new RtmpError("amf-limit", `Cannot write AMF3 value: length is ${count}, limit is ${U28_MAX}`);
    }
    this.#u29((count << 1) | 1);
  }

  #u29(value: number): void {
    const writer = this.#writer;
    if (value < 0x80) {
      writer.u8(value);
    } else if (value < 0x4000) {
      writer.u8((value >> 7) | 0x80);
      writer.u8(value & 0x7f);
    } else if (value < 0x20_0000) {
      writer.u8((value >> 14) | 0x80);
      writer.u8(((value >> 7) & 0x7f) | 0x80);
      writer.u8(value & 0x7f);
    } else {
      writer.u8((value >> 22) | 0x80);
      writer.u8(((value >> 15) & 0x7f) | 0x80);
      writer.u8(((value >> 8) & 0x7f) | 0x80);
      writer.u8(value & 0xff);
    }
  }
}

function markerOf(value: Amf3Complex): number {
  if (value instanceof Uint8Array) return AMF3_MARKER.byteArray;
  if (value instanceof Amf3Object) return AMF3_MARKER.object;
  if (value instanceof Amf3Array) return AMF3_MARKER.array;
  if (value instanceof Amf3Date) return AMF3_MARKER.date;
  if (value instanceof Amf3Dictionary) return AMF3_MARKER.dictionary;
  if (value instanceof Amf3Xml) return value.isDocument ? AMF3_MARKER.xmlDocument : AMF3_MARKER.xml;
  return value.type === "int"
    ? AMF3_MARKER.vectorInt
    : value.type === "uint"
    ? AMF3_MARKER.vectorUint
    : value.type === "double"
    ? AMF3_MARKER.vectorDouble
    : AMF3_MARKER.vectorObject;
}
