/**
 * `onMetaData` as players get it. What they read it with is stricter than what publishers write it with: FFmpeg can't open a stream
 * whose metadata holds a value that it does not know the length of, so only plain values are sent on.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import {
  Amf0AvmPlus,
  Amf0Date,
  Amf0EcmaArray,
  Amf0Object,
  Amf0Unsupported,
  type Amf0Value,
  amf0Values,
  Amf0XmlDocument,
  encodeAmf0,
} from "./amf0.ts";
import {
  Amf3Array,
  Amf3Date,
  Amf3Dictionary,
  Amf3Object,
  type Amf3Value,
  Amf3Vector,
  Amf3Xml,
} from "./amf3_value.ts";
import { encodeUtf8 } from "./amf_writer.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";

/** Longest metadata, in bytes, as it comes and as it is sent on. */
const MAX_METADATA_BYTES = 64 * 1024;
/** FFmpeg reads a property's name into 128 bytes; in an object within, an empty one ends it. */
const MAX_NAME_BYTES = 127;

/**
 * Rewrites an `onMetaData` body: always an ECMA array (FFmpeg reads nothing else at once) of numbers, booleans, strings, nulls, dates,
 * objects and arrays; AMF3 becomes AMF0. `duration` is removed as SRS does, since a live stream has none, and `server` is added.
 * What follows the metadata counts for nothing, and need not be AMF0.
 *
 * @returns Undefined when there is nothing in it.
 * @throws {RtmpError} `amf-malformed` when it is not AMF0, `amf-limit` or `message-too-large` when it passes a limit.
 */
export function rewriteMetadata(
  body: Uint8Array,
  server: string,
  limits: WireLimits,
): Uint8Array | undefined {
  checkBytes(body.length);
  let described: ReturnType<typeof namedProperties>;
  for (const value of amf0Values(body, limits)) {
    described = namedProperties(value);
    if (described !== undefined) break;
  }
  if (described === undefined) return undefined;
  const entries = new PlainValues(limits).properties(described, described);
  entries.delete("duration");
  if (entries.size === 0) return undefined;
  entries.set("server", server);
  const rewritten = encodeAmf0(["onMetaData", new Amf0EcmaArray(entries)]);
  checkBytes(rewritten.length);
  return rewritten;
}

/**
 * One text of an `onMetaData` body that `rewriteMetadata` has made; undefined where there is none of that name.
 *
 * @throws {RtmpError} When it is not AMF0.
 */
export function metadataText(body: Uint8Array, name: string): string | undefined {
  for (const value of amf0Values(body, DEFAULT_WIRE_LIMITS)) {
    if (value instanceof Amf0Object) return value.getString(name);
  }
  return undefined;
}

function checkBytes(bytes: number): void {
  if (bytes <= MAX_METADATA_BYTES) return;
  throw new RtmpError(
    "message-too-large",
    `Cannot pass on metadata: ${bytes} bytes or more, limit is ${MAX_METADATA_BYTES}`,
  );
}

type AmfValue = Amf0Value | Amf3Value;

/** What stands for metadata among the values of a message. */
function namedProperties(value: Amf0Value): Amf0Object | Amf3Object | Amf3Array | undefined {
  if (value instanceof Amf0Object) return value;
  if (!(value instanceof Amf0AvmPlus)) return undefined;
  const { value: amf3 } = value;
  return amf3 instanceof Amf3Object || amf3 instanceof Amf3Array ? amf3 : undefined;
}

/**
 * Copies values without references, which FFmpeg does not know either. A value that is referred to again is written again, so what
 * comes out is counted: a few bytes can name millions.
 */
class PlainValues {
  readonly #limits: WireLimits;
  /** The objects and arrays that the present value lies in; one that lies in itself has no end. */
  readonly #around = new Set<unknown>();
  #bytes = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** The named values of `from`, which are part of `owner`. */
  properties(
    owner: object,
    from: Amf0Object | Amf3Object | Amf3Array | Amf3Dictionary,
  ): Map<string, Amf0Value> {
    const entries = new Map<string, Amf0Value>();
    const pairs = from instanceof Amf3Dictionary ? from.pairs : from.entries;
    this.#enter(owner);
    for (const [key, value] of pairs) {
      this.#spend(2);
      const name = typeof key === "number" ? String(key) : key;
      if (typeof name !== "string" || name === "" || !isShort(name)) continue;
      const plain = this.#value(value);
      if (plain === undefined) continue;
      this.#spend(name.length);
      entries.set(name, plain);
    }
    this.#around.delete(owner);
    return entries;
  }

  /** The value in AMF0; undefined for what players can't be told. */
  #value(value: AmfValue): Amf0Value | undefined {
    this.#spend(typeof value === "string" ? 3 + value.length : typeof value === "number" ? 9 : 1);
    if (typeof value !== "object" || value === null) return value;
    if (this.#around.has(value)) return undefined;
    if (value instanceof Amf0AvmPlus) return this.#value(value.value);
    if (value instanceof Amf0Date) return value;
    if (value instanceof Amf3Date) return new Amf0Date(value.time);
    if (value instanceof Amf0XmlDocument || value instanceof Amf3Xml) return this.#value(value.text);
    if (value instanceof Amf0Unsupported || value instanceof Uint8Array) return undefined;
    if (Array.isArray(value)) return this.#items(value, value);
    if (value instanceof Amf3Vector) return this.#items(value, value.items);
    if (value instanceof Amf0EcmaArray) return new Amf0EcmaArray(this.properties(value, value));
    if (value instanceof Amf3Array) return this.#mixedArray(value);
    return new Amf0Object(this.properties(value, value));
  }

  /** An array whose places count, so what can't be told leaves a null. */
  #items(owner: object, items: readonly AmfValue[]): Amf0Value[] {
    this.#enter(owner);
    const plain = items.map((item) => this.#value(item) ?? null);
    this.#around.delete(owner);
    return plain;
  }

  #mixedArray(array: Amf3Array): Amf0Value {
    if (array.entries.size === 0) return this.#items(array, array.items);
    const entries = this.properties(array, array);
    for (const [index, item] of this.#items(array, array.items).entries()) entries.set(String(index), item);
    return new Amf0EcmaArray(entries);
  }

  #enter(owner: object): void {
    if (this.#around.size >= this.#limits.maxAmfDepth) {
      throw new RtmpError(
        "amf-limit",
        `Cannot pass on metadata: nested deeper than ${this.#limits.maxAmfDepth}`,
      );
    }
    this.#around.add(owner);
  }

  /** Counts so many bytes, or nearly so many: enough to stop in time. */
  #spend(bytes: number): void {
    this.#bytes += bytes;
    checkBytes(this.#bytes);
  }
}

function isShort(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && encodeUtf8(name).length <= MAX_NAME_BYTES;
}
