/**
 * AMF0: the values of commands, data messages and FLV script tags.
 *
 * @module
 * @see Action Message Format AMF 0, Adobe, December 2007
 */
import { RtmpError } from "../base/errors.ts";
import { readAmf3 } from "./amf3_decoder.ts";
import { writeAmf3 } from "./amf3_encoder.ts";
import type { Amf3Complex } from "./amf3_value.ts";
import { AmfReader } from "./amf_reader.ts";
import { AmfWriter, encodeUtf8 } from "./amf_writer.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";

/** Anything that AMF0 can say. An array is a strict array. */
export type Amf0Value =
  | number
  | boolean
  | string
  | null
  | undefined
  | Amf0Object
  | Amf0EcmaArray
  | Amf0Date
  | Amf0XmlDocument
  | Amf0Unsupported
  | Amf0AvmPlus
  | Amf0Value[];

/** Named properties in the order they were sent; with `className`, a typed object. */
export class Amf0Object {
  readonly entries: Map<string, Amf0Value>;
  readonly className: string | undefined;

  constructor(entries: Map<string, Amf0Value> = new Map(), className: string | undefined = undefined) {
    this.entries = entries;
    this.className = className;
  }

  static from(record: Readonly<Record<string, Amf0Value>>): Amf0Object {
    return new Amf0Object(new Map(Object.entries(record)));
  }

  get(name: string): Amf0Value {
    return this.entries.get(name);
  }

  /** The property if it is a string. */
  getString(name: string): string | undefined {
    const value = this.entries.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** The property if it is a number. */
  getNumber(name: string): number | undefined {
    const value = this.entries.get(name);
    return typeof value === "number" ? value : undefined;
  }
}

/** The other way to send named properties; the usual form of `onMetaData`. */
export class Amf0EcmaArray extends Amf0Object {
  constructor(entries: Map<string, Amf0Value> = new Map()) {
    super(entries);
  }

  static override from(record: Readonly<Record<string, Amf0Value>>): Amf0EcmaArray {
    return new Amf0EcmaArray(new Map(Object.entries(record)));
  }
}

/** A moment, in milliseconds since 1970 UTC, and a time zone that should be 0. */
export class Amf0Date {
  readonly time: number;
  /** Minutes; -32768 to 32767. */
  readonly timeZone: number;

  constructor(time: number, timeZone: number = 0) {
    this.time = time;
    this.timeZone = timeZone;
  }
}

/** The text of an XML document, not parsed. */
export class Amf0XmlDocument {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value that its sender could not put into AMF0; it has a marker and no content. */
export class Amf0Unsupported {
  readonly type: "movieClip" | "unsupported" | "recordSet";

  constructor(type: "movieClip" | "unsupported" | "recordSet" = "unsupported") {
    this.type = type;
  }
}

/**
 * An AMF3 object or array among AMF0 values. AMF3 scalars after the same marker become plain scalars, so that a
 * command reads the same in both encodings.
 */
export class Amf0AvmPlus {
  readonly value: Amf3Complex;

  constructor(value: Amf3Complex) {
    this.value = value;
  }
}

const NUMBER = 0x00;
const BOOLEAN = 0x01;
const STRING = 0x02;
const OBJECT = 0x03;
const MOVIE_CLIP = 0x04;
const NULL = 0x05;
const UNDEFINED = 0x06;
const REFERENCE = 0x07;
const ECMA_ARRAY = 0x08;
const OBJECT_END = 0x09;
const STRICT_ARRAY = 0x0a;
const DATE = 0x0b;
const LONG_STRING = 0x0c;
const UNSUPPORTED = 0x0d;
const RECORD_SET = 0x0e;
const XML_DOCUMENT = 0x0f;
const TYPED_OBJECT = 0x10;
const AVM_PLUS = 0x11;

/** What a u16 can count: bytes of a key or of a short string. References too: index 65535 is the last. */
const U16_MAX = 0xffff;

/**
 * All the values in a message body.
 *
 * An object that is referred to again comes back as the same object, so the result may hold cycles.
 *
 * @throws {RtmpError} `amf-limit` when depth, string bytes or the number of values passes `limits`;
 * `amf-malformed` for bytes that are not AMF0.
 */
export function decodeAmf0(bytes: Uint8Array, limits: WireLimits = DEFAULT_WIRE_LIMITS): Amf0Value[] {
  return [...amf0Values(bytes, limits)];
}

/** The values in a message body, each decoded when it is asked for. @throws {RtmpError} As {@linkcode decodeAmf0}. */
export function* amf0Values(bytes: Uint8Array, limits: WireLimits): Generator<Amf0Value, void> {
  const reader = new AmfReader(bytes, limits);
  const decoder = new Amf0Decoder(reader);
  while (reader.remaining > 0) {
    reader.countProperty();
    yield decoder.value();
  }
}

/**
 * All values of a message body up to the first that does not decode or is over a limit; of an object or array that is broken off, what
 * came before.
 */
export function decodeAmf0Beginning(
  bytes: Uint8Array,
  limits: WireLimits = DEFAULT_WIRE_LIMITS,
): Amf0Value[] {
  const reader = new AmfReader(bytes, limits);
  const decoder = new Amf0Decoder(reader);
  const values: Amf0Value[] = [];
  while (reader.remaining > 0) {
    const begun = decoder.complexValues;
    try {
      reader.countProperty();
      values.push(decoder.value());
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      const broken = decoder.complexValue(begun);
      return broken === undefined ? values : [...values, broken];
    }
  }
  return values;
}

/**
 * Values one after the other. An object or array that appears again is written as a reference, so cycles are safe.
 *
 * @throws {RtmpError} `amf-limit` when a key or class name has more than 65535 bytes: replacing what was not UTF-8
 * in a peer's key may make it that long.
 */
export function encodeAmf0(values: readonly Amf0Value[]): Uint8Array {
  const encoder = new Amf0Encoder(new AmfWriter());
  for (const value of values) encoder.value(value);
  return encoder.finish();
}

class Amf0Decoder {
  readonly #reader: AmfReader;
  readonly #references: (Amf0Object | Amf0Value[])[] = [];

  constructor(reader: AmfReader) {
    this.#reader = reader;
  }

  /** How many objects and arrays have been begun. */
  get complexValues(): number {
    return this.#references.length;
  }

  /** The object or array that was begun as the one of that number. */
  complexValue(index: number): Amf0Object | Amf0Value[] | undefined {
    return this.#references[index];
  }

  value(): Amf0Value {
    const reader = this.#reader;
    const marker = reader.u8();
    switch (marker) {
      case NUMBER:
        return reader.f64();
      case BOOLEAN:
        return reader.u8() !== 0;
      case STRING:
        return reader.utf8(reader.u16());
      case OBJECT:
        return this.#properties(new Amf0Object());
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      case REFERENCE:
        return this.#reference(reader.u16());
      case ECMA_ARRAY:
        // The count is only a hint, and some encoders send 0 or nonsense.
        reader.skip(4);
        return this.#properties(new Amf0EcmaArray());
      case STRICT_ARRAY:
        return this.#strictArray(reader.u32());
      case DATE:
        return new Amf0Date(reader.f64(), reader.i16());
      case LONG_STRING:
        return reader.utf8(reader.u32());
      case XML_DOCUMENT:
        return new Amf0XmlDocument(reader.utf8(reader.u32()));
      case TYPED_OBJECT:
        return this.#properties(new Amf0Object(new Map(), reader.utf8(reader.u16())));
      case MOVIE_CLIP:
        return new Amf0Unsupported("movieClip");
      case UNSUPPORTED:
        return new Amf0Unsupported("unsupported");
      case RECORD_SET:
        return new Amf0Unsupported("recordSet");
      case AVM_PLUS: {
        const value = readAmf3(reader);
        return typeof value === "object" && value !== null ? new Amf0AvmPlus(value) : value;
      }
      default:
        throw new RtmpError(
          "amf-malformed",
          `Cannot read AMF0 value: marker is ${marker}, limit is ${AVM_PLUS}`,
        );
    }
  }

  #properties<T extends Amf0Object>(object: T): T {
    const reader = this.#reader;
    reader.enter();
    this.#references.push(object);
    // Like SRS, the end of the message is taken for the end marker.
    while (reader.remaining > 0) {
      if (reader.startsWith(0, 0, OBJECT_END)) {
        reader.skip(3);
        break;
      }
      reader.countProperty();
      const name = reader.utf8(reader.u16());
      object.entries.set(name, this.value());
    }
    reader.leave();
    return object;
  }

  #strictArray(count: number): Amf0Value[] {
    const reader = this.#reader;
    reader.expectElements(count, 1);
    reader.enter();
    const array: Amf0Value[] = [];
    this.#references.push(array);
    for (let i = 0; i < count; i++) {
      reader.countProperty();
      array.push(this.value());
    }
    reader.leave();
    return array;
  }

  #reference(index: number): Amf0Value {
    const value = this.#references[index];
    if (value === undefined) {
      throw new RtmpError(
        "amf-malformed",
        `Cannot resolve AMF0 reference: index is ${index}, limit is ${this.#references.length}`,
      );
    }
    return value;
  }
}

class Amf0Encoder {
  readonly #writer: AmfWriter;
  readonly #references = new Map<Amf0Object | Amf0Value[], number>();

  constructor(writer: AmfWriter) {
    this.#writer = writer;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }

  value(value: Amf0Value): void {
    const writer = this.#writer;
    if (typeof value === "number") {
      writer.u8(NUMBER);
      writer.f64(value);
    } else if (typeof value === "boolean") {
      writer.u8(BOOLEAN);
      writer.u8(value ? 1 : 0);
    } else if (typeof value === "string") {
      this.#string(value);
    } else if (value === null) {
      writer.u8(NULL);
    } else if (value === undefined) {
      writer.u8(UNDEFINED);
    } else if (value instanceof Amf0Date) {
      writer.u8(DATE);
      writer.f64(value.time);
      writer.i16(value.timeZone);
    } else if (value instanceof Amf0XmlDocument) {
      writer.u8(XML_DOCUMENT);
      this.#longText(value.text);
    } else if (value instanceof Amf0Unsupported) {
      const { type } = value;
      writer.u8(type === "movieClip" ? MOVIE_CLIP : type === "recordSet" ? RECORD_SET : UNSUPPORTED);
    } else if (value instanceof Amf0AvmPlus) {
      writer.u8(AVM_PLUS);
      writeAmf3(writer, value.value);
    } else if (!this.#writeReference(value)) {
      this.#complex(value);
    }
  }

  #complex(value: Amf0Object | Amf0Value[]): void {
    const writer = this.#writer;
    if (Array.isArray(value)) {
      writer.u8(STRICT_ARRAY);
      writer.u32(value.length);
      for (const element of value) this.value(element);
      return;
    }
    if (value instanceof Amf0EcmaArray) {
      writer.u8(ECMA_ARRAY);
      writer.u32(value.entries.size);
    } else if (value.className === undefined) {
      writer.u8(OBJECT);
    } else {
      writer.u8(TYPED_OBJECT);
      this.#name(value.className);
    }
    for (const [name, property] of value.entries) {
      this.#name(name);
      this.value(property);
    }
    writer.u16(0);
    writer.u8(OBJECT_END);
  }

  /** Whether the value was written before and a reference now stands for it. */
  #writeReference(value: Amf0Object | Amf0Value[]): boolean {
    const index = this.#references.get(value);
    if (index === undefined) {
      this.#references.set(value, this.#references.size);
      return false;
    }
    if (index > U16_MAX) {
      throw new RtmpError("amf-limit", `Cannot write AMF0 reference: index is ${index}, limit is ${U16_MAX}`);
    }
    this.#writer.u8(REFERENCE);
    this.#writer.u16(index);
    return true;
  }

  #string(text: string): void {
    const utf8 = encodeUtf8(text);
    if (utf8.byteLength > U16_MAX) {
      this.#writer.u8(LONG_STRING);
      this.#writer.u32(utf8.byteLength);
    } else {
      this.#writer.u8(STRING);
      this.#writer.u16(utf8.byteLength);
    }
    this.#writer.bytes(utf8);
  }

  #longText(text: string): void {
    const utf8 = encodeUtf8(text);
    this.#writer.u32(utf8.byteLength);
    this.#writer.bytes(utf8);
  }

  #name(text: string): void {
    const utf8 = encodeUtf8(text);
    if (utf8.byteLength > U16_MAX) {
      throw new RtmpError(
        "amf-limit",
        `Cannot write AMF0 name: ${utf8.byteLength} bytes, limit is ${U16_MAX}`,
      );
    }
    this.#writer.u16(utf8.byteLength);
    this.#writer.bytes(utf8);
  }
}
