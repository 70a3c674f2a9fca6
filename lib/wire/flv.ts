/**
 * FLV: what an HTTP-FLV player is sent, and what an upstream or a file gives.
 *
 * @module
 * @see Video File Format Specification 10.1, annex E
 */
import { RtmpError } from "../base/errors.ts";
import { uint24, uint32, writeUint32 } from "./bytes.ts";
import { ByteQueue } from "./byte_queue.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";

/** One FLV tag; in RTMP terms a message. */
export interface FlvTag {
  /** 8 audio, 9 video, 18 script data; others are passed on. */
  readonly typeId: number;
  /** Milliseconds; 32 bits. */
  readonly timestamp: number;
  /** Owned by whoever took the tag. */
  readonly payload: Uint8Array;
}

const FILE_HEADER_BYTES = 9;
/** Of a tag's header. */
export const TAG_HEADER_BYTES = 11;
/** Of the size of a tag, which stands behind it. */
export const BACK_POINTER_BYTES = 4;
const MAX_U24 = 0xff_ffff;

/** The 13 bytes that a stream begins with: the file header, and the size of the tag before the first, 0. */
export function flvHeader(hasAudio: boolean, hasVideo: boolean): Uint8Array {
  const flags = (hasAudio ? 0x04 : 0) | (hasVideo ? 0x01 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, FILE_HEADER_BYTES, 0, 0, 0, 0);
}

/** What a tag's header says, as the parts of an aggregate message have it too. */
export interface FlvTagHeader {
  readonly typeId: number;
  /** Bytes of the payload. */
  readonly size: number;
  /** Milliseconds; 32 bits, of which the highest eight stand last. */
  readonly timestamp: number;
}

/** Reads the header that begins at `offset`; all of its bytes are there. */
export function readFlvTagHeader(bytes: Uint8Array, offset: number): FlvTagHeader {
  return {
    typeId: bytes[offset] as number,
    size: uint24(bytes, offset + 1),
    timestamp: (((bytes[offset + 7] as number) << 24) | uint24(bytes, offset + 4)) >>> 0,
  };
}

/** How many bytes {@linkcode writeFlvTag} takes for a payload of `size` bytes. */
export function flvTagBytes(size: number): number {
  return TAG_HEADER_BYTES + size + BACK_POINTER_BYTES;
}

/**
 * Writes a tag and the size that follows it.
 *
 * @param timestamp Milliseconds; the low 32 bits are written.
 * @returns The offset behind what was written.
 * @throws {RangeError} When `target` is too small, or the payload longer than 24 bits can say.
 */
export function writeFlvTag(
  target: Uint8Array,
  offset: number,
  typeId: number,
  timestamp: number,
  payload: Uint8Array,
): number {
  const size = payload.byteLength;
  if (size > MAX_U24) {
    throw new RangeError(`Cannot write FLV tag: payload is ${size} bytes, limit is ${MAX_U24}`);
  }
  const end = offset + flvTagBytes(size);
  if (end > target.byteLength) {
    throw new RangeError(`Cannot write FLV tag: it ends at ${end}, limit is ${target.byteLength}`);
  }
  target[offset] = typeId;
  target[offset + 1] = size >>> 16;
  target[offset + 2] = size >>> 8;
  target[offset + 3] = size;
  target[offset + 4] = timestamp >>> 16;
  target[offset + 5] = timestamp >>> 8;
  target[offset + 6] = timestamp;
  target[offset + 7] = timestamp >>> 24;
  target[offset + 8] = 0;
  target[offset + 9] = 0;
  target[offset + 10] = 0;
  target.set(payload, offset + TAG_HEADER_BYTES);
  const tagSize = TAG_HEADER_BYTES + size;
  return writeUint32(target, end - BACK_POINTER_BYTES, tagSize);
}

/**
 * Turns the bytes of an FLV file or response back into tags. Push every byte in order, and call
 * {@linkcode FlvReader.next} until it has no more before the next push, so that no more than one tag is held.
 */
export class FlvReader {
  readonly #limits: WireLimits;
  readonly #queue = new ByteQueue();
  /** Bytes to pass over: the rest of a long file header, and the size that stands before each tag. */
  #skip = 0;
  #hasHeader = false;
  #failure: RtmpError | undefined;

  constructor(limits: WireLimits = DEFAULT_WIRE_LIMITS) {
    this.#limits = limits;
  }

  /** Adds a copy of the bytes, in pieces of any size. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next whole tag, or `undefined` until more bytes are pushed.
   *
   * @throws {RtmpError} `flv-malformed` or `message-too-large`; the same again on every later call.
   */
  next(): FlvTag | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (!this.#hasHeader && !this.#readHeader()) return undefined;
      return this.#readTag();
    } catch (error) {
      if (error instanceof RtmpError) this.#failure = error;
      throw error;
    }
  }

  #readHeader(): boolean {
    const bytes = this.#queue.peek();
    // What is not FLV at all, such as an error page, may be shorter than a header.
    if (
      (bytes[0] ?? 0x46) !== 0x46 || (bytes[1] ?? 0x4c) !== 0x4c || (bytes[2] ?? 0x56) !== 0x56
    ) {
      throw new RtmpError("flv-malformed", "Cannot read FLV: it does not begin with 'FLV'");
    }
    if (bytes.byteLength < FILE_HEADER_BYTES) return false;
    const length = uint32(bytes, 5);
    if (length < FILE_HEADER_BYTES || length > this.#limits.maxMessageBytes) {
      throw new RtmpError(
        "flv-malformed",
        `Cannot read FLV: header length is ${length}, limit is ${FILE_HEADER_BYTES} to ${this.#limits.maxMessageBytes}`,
      );
    }
    this.#skip = length + BACK_POINTER_BYTES;
    this.#hasHeader = true;
    return true;
  }

  #readTag(): FlvTag | undefined {
    if (this.#skip > 0) {
      const count = Math.min(this.#skip, this.#queue.length);
      this.#queue.take(count);
      this.#skip -= count;
    }
    if (this.#queue.length < TAG_HEADER_BYTES) return undefined;
    const { typeId, size, timestamp } = readFlvTagHeader(this.#queue.peek(), 0);
    // Two reserved bits and the one for encryption: either we are not at a tag, or we cannot read it.
    if (typeId > 0x1f) {
      throw new RtmpError("flv-malformed", `Cannot read FLV tag: type is ${typeId}, limit is 31`);
    }
    if (size > this.#limits.maxMessageBytes) {
      throw new RtmpError(
        "message-too-large",
        `Cannot read FLV tag: ${size} bytes announced, limit is ${this.#limits.maxMessageBytes}`,
      );
    }
    if (this.#queue.length < TAG_HEADER_BYTES + size) return undefined;
    const payload = this.#queue.take(TAG_HEADER_BYTES + size).slice(TAG_HEADER_BYTES);
    // Many writers get the size after the tag wrong, and nobody needs it.
    this.#skip = BACK_POINTER_BYTES;
    return { typeId, timestamp, payload };
  }
}
