/**
 * Reading AMF3, whose values follow marker 0x11 among AMF0 values. The reference tables are those of one value.
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
import { AmfReader } from "./amf_reader.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";

/** Externalizable classes whose body is one AMF3 value; any other body cannot be told from what follows it. */
const WRAPPER_CLASSES: ReadonlySet<string> = new Set([
  "flex.messaging.io.ArrayCollection",
  "flex.messaging.io.ArrayList",
  "flex.messaging.io.ObjectProxy",
]);

/**
 * All the values in a buffer, as in an AMF3 message.
 *
 * @throws {RtmpError} `amf-limit` or `amf-malformed`, as `decodeAmf0` does.
 */
export function decodeAmf3(bytes: Uint8Array, limits: WireLimits = DEFAULT_WIRE_LIMITS): Amf3Value[] {
  const reader = new AmfReader(bytes, limits);
  const values: Amf3Value[] = [];
  while (reader.remaining > 0) {
    reader.countProperty();
    values.push(readAmf3(reader));
  }
  return values;
}

/** One value from a reader that may stand amid AMF0. */
export function readAmf3(reader: AmfReader): Amf3Value {
  return new Amf3Decoder(reader).value();
}

/** Traits as they are on the wire: an externalizable class has no properties of its own. */
interface WireTraits {
  /** One for all objects that refer to it, so that an encoder can refer to it again. */
  readonly traits: Amf3Traits;
  readonly isExternalizable: boolean;
}

class Amf3Decoder {
  readonly #reader: AmfReader;
  readonly #strings: string[] = [];
  readonly #objects: Amf3Complex[] = [];
  readonly #traits: WireTraits[] = [];

  constructor(reader: AmfReader) {
    this.#reader = reader;
  }

  value(): Amf3Value {
    const marker = this.#reader.u8();
    switch (marker) {
      case AMF3_MARKER.undefined:
        return undefined;
      case AMF3_MARKER.null:
        return null;
      case AMF3_MARKER.false:
        return false;
      case AMF3_MARKER.true:
        return true;
      case AMF3_MARKER.integer:
        // 29 bits, two's complement.
        return (this.#u29() << 3) >> 3;
      case AMF3_MARKER.double:
        return this.#reader.f64();
      case AMF3_MARKER.string:
        return this.#string();
      default:
        return this.#complex(marker);
    }
  }

  #complex(marker: number): Amf3Value {
    if (marker > AMF3_MARKER.dictionary) {
      throw new RtmpError(
        "amf-malformed",
        `Cannot read AMF3 value: marker is ${marker}, limit is ${AMF3_MARKER.dictionary}`,
      );
    }
    const header = this.#u29();
    if ((header & 1) === 0) return this.#referred(this.#objects, header >> 1, "object");
    this.#reader.enter();
    const value = this.#inline(marker, header >> 1);
    this.#reader.leave();
    return value;
  }

  #inline(marker: number, count: number): Amf3Value {
    const reader = this.#reader;
    switch (marker) {
      case AMF3_MARKER.date:
        return this.#remember(new Amf3Date(reader.f64()));
      case AMF3_MARKER.xml:
      case AMF3_MARKER.xmlDocument:
        return this.#remember(new Amf3Xml(reader.utf8(count), marker === AMF3_MARKER.xmlDocument));
      case AMF3_MARKER.byteArray:
        return this.#remember(reader.bytes(count));
      case AMF3_MARKER.array:
        return this.#array(count);
      case AMF3_MARKER.object:
        return this.#object(count);
      case AMF3_MARKER.dictionary:
        return this.#dictionary(count);
      default:
        return this.#vector(marker, count);
    }
  }

  #array(count: number): Amf3Array {
    this.#reader.expectElements(count, 1);
    const array = this.#remember(new Amf3Array());
    this.#dynamic(array.entries);
    for (let i = 0; i < count; i++) {
      this.#reader.countProperty();
      array.items.push(this.value());
    }
    return array;
  }

  #object(header: number): Amf3Value {
    const { traits, isExternalizable } = (header & 1) === 0
      ? this.#referred(this.#traits, header >> 1, "traits")
      : this.#inlineTraits(header >> 1);
    if (isExternalizable) {
      if (!WRAPPER_CLASSES.has(traits.className)) {
        throw new RtmpError(
          "amf-malformed",
          "Cannot read AMF3 object: its externalizable class has a body of unknown form",
        );
      }
      // The wrapper takes a place in the table; what it wraps is what anyone wants.
      const place = this.#objects.push(new Amf3Object()) - 1;
      this.#reader.countProperty();
      const wrapped = this.value();
      if (typeof wrapped === "object" && wrapped !== null) this.#objects[place] = wrapped;
      return wrapped;
    }
    const object = this.#remember(new Amf3Object(new Map(), traits));
    for (const name of traits.sealedNames) {
      this.#reader.countProperty();
      object.entries.set(name, this.value());
    }
    if (traits.isDynamic) this.#dynamic(object.entries);
    return object;
  }

  #inlineTraits(flags: number): WireTraits {
    const isExternalizable = (flags & 1) !== 0;
    const isDynamic = (flags & 2) !== 0;
    const count = isExternalizable ? 0 : flags >> 2;
    const className = this.#string();
    // A name and its value are two bytes at least.
    this.#reader.expectElements(count, 2);
    const sealedNames: string[] = [];
    for (let i = 0; i < count; i++) sealedNames.push(this.#string());
    const wireTraits = { traits: { className, sealedNames, isDynamic }, isExternalizable };
    this.#traits.push(wireTraits);
    return wireTraits;
  }

  /** Names and values up to the empty name. */
  #dynamic(entries: Map<string, Amf3Value>): void {
    for (;;) {
      const name = this.#string();
      if (name === "") return;
      this.#reader.countProperty();
      entries.set(name, this.value());
    }
  }

  #vector(marker: number, count: number): Amf3Vector {
    const reader = this.#reader;
    reader.expectElements(
      count,
      marker === AMF3_MARKER.vectorDouble ? 8 : marker === AMF3_MARKER.vectorObject ? 1 : 4,
    );
    const isFixed = reader.u8() !== 0;
    const type = marker === AMF3_MARKER.vectorInt
      ? "int"
      : marker === AMF3_MARKER.vectorUint
      ? "uint"
      : marker === AMF3_MARKER.vectorDouble
      ? "double"
      : "object";
    // The table index is the vector's own before its elements', though its class name is read first.
    const place = this.#objects.push(new Amf3Object()) - 1;
    const className = type === "object" ? this.#string() : "";
    const vector = new Amf3Vector(type, [], isFixed, className);
    this.#objects[place] = vector;
    for (let i = 0; i < count; i++) {
      reader.countProperty();
      vector.items.push(
        type === "int"
          ? reader.i32()
          : type === "uint"
          ? reader.u32()
          : type === "double"
          ? reader.f64()
          : this.value(),
      );
    }
    return vector;
  }

  #dictionary(count: number): Amf3Dictionary {
    this.#reader.expectElements(count, 2);
    const dictionary = this.#remember(new Amf3Dictionary([], this.#reader.u8() !== 0));
    for (let i = 0; i < count; i++) {
      this.#reader.countProperty();
      const key = this.value();
      dictionary.pairs.push([key, this.value()]);
    }
    return dictionary;
  }

  #remember<T extends Amf3Complex>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  #referred<T>(table: readonly T[], index: number, what: string): T {
    const found = table[index];
    if (found === undefined) {
      throw new RtmpError(
        "amf-malformed",
        `Cannot resolve AMF3 ${what} reference: index is ${index}, limit is ${table.length}`,
      );
    }
    return found;
  }

  #string(): string {
    const header = this.#u29();
    if ((header & 1) === 0) return this.#referred(this.#strings, header >> 1, "string");
    const text = this.#reader.utf8(header >> 1);
    if (text !== "") this.#strings.push(text);
    return text;
  }

  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#reader.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#reader.u8();
  }
}
