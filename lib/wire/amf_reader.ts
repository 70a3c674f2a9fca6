import { RtmpError } from "../base/errors.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";

// A byte order mark is kept: it is part of the string that the peer sent.
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads the scalars that AMF0 and AMF3 share, and keeps the limits that both formats spend from. */
export class AmfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: WireLimits;
  #offset = 0;
  #depth = 0;
  #properties = 0;

  /** @param bytes Read in place; nothing that is returned refers to them. */
  constructor(bytes: Uint8Array, limits: WireLimits = DEFAULT_WIRE_LIMITS) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  /** Bytes that are not read yet. */
  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** Whether the next bytes are these; reads nothing. */
  startsWith(first: number, second: number, third: number): boolean {
    const at = this.#offset;
    return this.#bytes[at] === first && this.#bytes[at + 1] === second && this.#bytes[at + 2] === third;
  }

  /** Passes over bytes. */
  skip(count: number): void {
    this.#take(count);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** A copy of the next bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  /**
   * The next `length` bytes as text; bytes that are not UTF-8 become U+FFFD.
   *
   * @throws {RtmpError} `amf-limit` when the announced length is over the limit.
   */
  utf8(length: number): string {
    if (length > this.#limits.maxAmfStringBytes) {
      throw new RtmpError(
        "amf-limit",
        `Cannot read AMF string: ${length} bytes announced, limit is ${this.#limits.maxAmfStringBytes}`,
      );
    }
    const start = this.#take(length);
    return UTF8.decode(this.#bytes.subarray(start, start + length));
  }

  /**
   * Goes one object or array deeper; {@linkcode leave} comes back. The limit is what keeps a recursive reader off
   * the end of the stack.
   *
   * @throws {RtmpError} `amf-limit` when that is too deep.
   */
  enter(): void {
    if (this.#depth >= this.#limits.maxAmfDepth) {
      throw new RtmpError(
        "amf-limit",
        `Cannot read AMF value: nested deeper than ${this.#limits.maxAmfDepth}`,
      );
    }
    this.#depth++;
  }

  leave(): void {
    this.#depth--;
  }

  /** Counts one property, element or top-level value. @throws {RtmpError} `amf-limit`. */
  countProperty(): void {
    if (++this.#properties > this.#limits.maxAmfProperties) {
      throw new RtmpError(
        "amf-limit",
        `Cannot read AMF: more than ${this.#limits.maxAmfProperties} properties`,
      );
    }
  }

  /**
   * Checks an announced number of elements before any of them is read or made room for.
   *
   * @param leastBytes The fewest bytes that one element takes.
   * @throws {RtmpError} `amf-limit` or `amf-malformed`.
   */
  expectElements(count: number, leastBytes: number): void {
    const left = this.#limits.maxAmfProperties - this.#properties;
    if (count > left) {
      throw new RtmpError("amf-limit", `Cannot read AMF: ${count} elements announced, limit is ${left}`);
    }
    if (count * leastBytes > this.remaining) {
      throw new RtmpError(
        "amf-malformed",
        `Cannot read AMF: ${count} elements announced, ${this.remaining} bytes left`,
      );
    }
  }

  #take(count: number): number {
    if (count > this.remaining) {
      throw new RtmpError("amf-malformed", `Cannot read AMF: ${count} bytes needed, ${this.remaining} left`);
    }
    const start = this.#offset;
    this.#offset += count;
    return start;
  }
}
