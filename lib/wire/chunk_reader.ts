import { uint24, uint32, uint32LittleEndian } from "./bytes.ts";
import { RtmpError } from "../base/errors.ts";
import { joinBytes } from "../base/join_bytes.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";
import { MESSAGE_TYPE } from "./message_type.ts";

/** Chunk size of both directions until a Set Chunk Size changes it, in bytes. */
export const INITIAL_CHUNK_SIZE = 128;

const EXTENDED = 0xffffff;
/** Room that all unfinished messages together may take beyond what has come of them: a lie about a length costs no more. */
const MAX_AHEAD_BYTES = 128 * 1024;
/** And no more than this part of what may be held; memory that is used again likewise. */
const AHEAD_PART = 1 / 8;
/** Memory that was much too large for so many messages one after another is let go of: a key frame's is not kept for all that follow. */
const MAX_IDLE_MESSAGES = 32;
/** Of a message that has use for its memory. */
const USED_PART = 1 / 4;
/** Of a chunk's basic header, message header and extended timestamp. */
const MAX_HEADER_BYTES = 3 + 11 + 4;
const NO_MEMORY = new ArrayBuffer(0);
const NOTHING = new Uint8Array(NO_MEMORY);

/** One message as it came off the wire, its payload not yet decoded. */
export interface RawMessage {
  readonly typeId: number;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly messageStreamId: number;
  readonly chunkStreamId: number;
  /** A view into the bytes last pushed, or into memory that the next message may take: valid until the next call of `next`. */
  readonly payload: Uint8Array;
}

/** What a chunk stream remembers between its chunks. */
class ChunkStream {
  readonly id: number;
  timestamp = 0;
  /** What the last header said: an absolute time after fmt 0, else a delta. */
  timestampField = 0;
  wasAbsolute = true;
  hasExtended = false;
  /** The four extended bytes of the chunk that began the message, for recognising a repetition. */
  extended = 0;
  length = 0;
  typeId = 0;
  messageStreamId = 0;
  /** The message under way; undefined between messages. */
  partial: Uint8Array<ArrayBuffer> | undefined;
  received = 0;

  constructor(id: number) {
    this.id = id;
  }
}

/**
 * Turns the bytes of one peer after the handshake back into messages. Push the bytes in order, in pieces of any size, and take
 * `next()` until it gives none before the next push. Set Chunk Size and Abort are applied here, and also returned.
 *
 * After a throw the reader is dead: every further call throws the same error.
 *
 * Source: RTMP 1.0 section 5.3; the extended timestamp of type 3 chunks as SRS reads it.
 */
export class ChunkReader {
  readonly #limits: WireLimits;
  readonly #streams = new Map<number, ChunkStream>();
  #input: Uint8Array = NOTHING;
  #position = 0;
  /** The beginning of a chunk header, from earlier pushes. */
  #begun: Uint8Array = NOTHING;
  #chunkSize = INITIAL_CHUNK_SIZE;
  /** The chunk whose payload is being read, across pushes. */
  #current: ChunkStream | undefined;
  #chunkRemaining = 0;
  /** What has come of unfinished messages. */
  #partialBytes = 0;
  /** The room that they take. */
  #heldBytes = 0;
  /** Memory of a message that is complete, for the next: without it, a publisher of large messages makes garbage as fast as it sends. */
  #spare: ArrayBuffer = NO_MEMORY;
  /** Messages since one had use for all that memory. */
  #idleMessages = 0;
  /** By how much memory that is used again is larger than the room that was wanted. */
  #slackBytes = 0;
  /** Bytes that may be held for unfinished messages. */
  #maxHeldBytes: number;
  #failure: RtmpError | undefined;

  constructor(limits: WireLimits = DEFAULT_WIRE_LIMITS) {
    this.#limits = limits;
    this.#maxHeldBytes = limits.maxBufferedBytes;
  }

  /**
   * Lets less be held than the limits say, for a peer that has not earned more yet; what is held already stays.
   *
   * @param bytes Over all unfinished messages; the limits' own when that is less.
   */
  allow(bytes: number): void {
    this.#maxHeldBytes = Math.min(bytes, this.#limits.maxBufferedBytes);
  }

  /** The peer's chunk size, in bytes. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** Bytes of memory held for messages that are not complete. */
  get bufferedBytes(): number {
    return this.#heldBytes + this.#begun.length + this.#input.length - this.#position;
  }

  /** Bytes of memory beside `bufferedBytes` that serve the next messages; a quarter of what may be held at most. */
  get spareBytes(): number {
    return this.#spare.byteLength + this.#slackBytes;
  }

  /** Adds bytes from the peer. They are read in place: keep them unchanged until `next()` has given undefined. */
  push(bytes: Uint8Array): void {
    const isRead = this.#position === this.#input.length;
    this.#input = isRead ? bytes : joinBytes([this.#input.subarray(this.#position), bytes]);
    this.#position = 0;
  }

  /**
   * The next complete message, or undefined until more bytes are pushed.
   *
   * @throws {RtmpError} When the peer breaks the chunk format or a limit.
   */
  next(): RawMessage | undefined {
    if (this.#failure) throw this.#failure;
    try {
      for (;;) {
        if (this.#current === undefined && !this.#readHeader()) {
          this.#keepRest();
          return undefined;
        }
        const message = this.#readPayload();
        if (message !== undefined) {
          this.#applyControl(message);
          return message;
        }
        if (this.#current !== undefined) {
          this.#keepRest();
          return undefined;
        }
      }
    } catch (error) {
      if (error instanceof RtmpError) this.#failure = error;
      throw error;
    }
  }

  /** What is left of the input, a part of a chunk header at most, is copied: the caller reuses its buffer. */
  #keepRest(): void {
    if (this.#position < this.#input.length) {
      const rest = this.#input.subarray(this.#position);
      this.#begun = this.#begun.length === 0 ? rest.slice() : joinBytes([this.#begun, rest]);
    }
    this.#input = NOTHING;
    this.#position = 0;
  }

  /** Reads a chunk's basic and message header whole; false, with nothing consumed, while bytes are missing. */
  #readHeader(): boolean {
    const begunBytes = this.#begun.length;
    if (begunBytes === 0) {
      const end = this.#parseHeader(this.#input, this.#position);
      if (end === undefined) return false;
      this.#position = end;
      return true;
    }
    // Not all of what was pushed is moved for the sake of a few bytes.
    const more = this.#input.subarray(this.#position, this.#position + MAX_HEADER_BYTES);
    const end = this.#parseHeader(joinBytes([this.#begun, more]), 0);
    if (end === undefined) return false;
    this.#position += end - begunBytes;
    if (this.#position < 0) {
      // What looked like an extended timestamp was payload.
      this.#input = joinBytes([this.#begun.subarray(end), this.#input]);
      this.#position = 0;
    }
    this.#begun = NOTHING;
    return true;
  }

  /** Reads the header that begins at `position`, and makes its chunk the current one; returns where it ends, or undefined. */
  #parseHeader(input: Uint8Array, position: number): number | undefined {
    const available = input.length;
    if (position >= available) return undefined;
    const first = input[position++] as number;
    const format = first >> 6;
    let chunkStreamId = first & 0x3f;
    if (chunkStreamId < 2) {
      const extra = chunkStreamId + 1;
      if (position + extra > available) return undefined;
      chunkStreamId = 64 + (input[position] as number) +
        (extra === 2 ? 256 * (input[position + 1] as number) : 0);
      position += extra;
    }
    const known = this.#streams.get(chunkStreamId);
    const stream = known ?? new ChunkStream(chunkStreamId);
    const isContinuing = stream.partial !== undefined;
    let field = stream.timestampField;
    let length = stream.length;
    let typeId = stream.typeId;
    let messageStreamId = stream.messageStreamId;
    if (format < 3) {
      const headerBytes = format === 0 ? 11 : format === 1 ? 7 : 3;
      if (position + headerBytes > available) return undefined;
      field = uint24(input, position);
      if (format < 2) {
        length = uint24(input, position + 3);
        typeId = input[position + 6] as number;
        // Little-endian, the only such field of RTMP.
        if (format === 0) messageStreamId = uint32LittleEndian(input, position + 7);
      }
      position += headerBytes;
    }
    // librtmp opens chunk stream 2 with a type 1 header; nothing else may begin without a full one.
    if (known === undefined && format > 1) {
      throw new RtmpError(
        "chunk-header-type",
        `Cannot read chunk: chunk stream ${chunkStreamId} begins with header type ${format}, expected 0`,
      );
    }
    if (isContinuing && format < 3) {
      if (format === 0) {
        throw new RtmpError(
          "chunk-header-type",
          `Cannot read chunk: chunk stream ${chunkStreamId} begins a message after ${stream.received} of ${stream.length} bytes of another`,
        );
      }
      if (length !== stream.length || typeId !== stream.typeId) {
        throw new RtmpError(
          "chunk-message-changed",
          `Cannot read chunk: message on chunk stream ${chunkStreamId} changes from type ${stream.typeId} of ${stream.length} bytes ` +
            `to type ${typeId} of ${length} bytes midway`,
        );
      }
    }
    const hasExtended = format < 3 ? field === EXTENDED : stream.hasExtended;
    let extended = stream.extended;
    if (hasExtended) {
      // Some writers repeat the field on type 3 chunks (the specification, SRS, FFmpeg), some don't: if what stands there
      // is not the value of this message, it is payload. One byte that differs is enough to tell: there may be no fourth.
      const mayBePayload = format === 3 && isContinuing;
      if (!mayBePayload || startsLikeTimestamp(input, position, stream.extended)) {
        if (position + 4 > available) return undefined;
        extended = uint32(input, position);
        position += 4;
      }
    }
    if (!isContinuing) this.#checkLimits(known === undefined, chunkStreamId, length, typeId);
    // Everything is here and right: commit.
    if (known === undefined) this.#streams.set(chunkStreamId, stream);
    if (!isContinuing) {
      stream.length = length;
      stream.typeId = typeId;
      stream.messageStreamId = messageStreamId;
      stream.hasExtended = hasExtended;
      stream.extended = extended;
      if (format < 3) {
        stream.timestampField = hasExtended ? extended : field;
        stream.wasAbsolute = format === 0;
      } else if (hasExtended) {
        stream.timestampField = extended;
      }
      // A type 3 header after a type 0 one repeats that header's time as a delta (section 5.3.1.2.4), but an extended time is
      // absolute to every known writer.
      const isAbsolute = format === 0 || (format === 3 && stream.wasAbsolute && hasExtended);
      stream.timestamp = isAbsolute
        ? stream.timestampField
        : (stream.timestamp + stream.timestampField) >>> 0;
    }
    this.#current = stream;
    this.#chunkRemaining = Math.min(this.#chunkSize, stream.length - stream.received);
    return position;
  }

  #checkLimits(isNew: boolean, chunkStreamId: number, length: number, typeId: number): void {
    const { maxChunkStreams, maxMessageBytes } = this.#limits;
    if (isNew && this.#streams.size >= maxChunkStreams) {
      throw new RtmpError(
        "too-many-chunk-streams",
        `Cannot open chunk stream ${chunkStreamId}: ${this.#streams.size} are open, limit is ${maxChunkStreams}`,
      );
    }
    if (length > maxMessageBytes) {
      throw new RtmpError(
        "message-too-large",
        `Cannot read message of type ${typeId}: ${length} bytes announced, limit is ${maxMessageBytes}`,
      );
    }
  }

  /** Reads what there is of the current chunk's payload; the message when that completes it. */
  #readPayload(): RawMessage | undefined {
    const stream = this.#current as ChunkStream;
    const available = this.#input.length - this.#position;
    if (
      stream.partial === undefined && this.#chunkRemaining === stream.length && available >= stream.length
    ) {
      const payload = this.#input.subarray(this.#position, this.#position + stream.length);
      this.#position += stream.length;
      this.#current = undefined;
      return this.#message(stream, payload);
    }
    const count = Math.min(this.#chunkRemaining, available);
    const end = stream.received + count;
    let target = stream.partial;
    if (target === undefined || end > target.length) target = this.#makeRoom(stream, end);
    target.set(this.#input.subarray(this.#position, this.#position + count), stream.received);
    stream.received = end;
    this.#partialBytes += count;
    this.#position += count;
    this.#chunkRemaining -= count;
    if (this.#chunkRemaining > 0) return undefined;
    this.#current = undefined;
    if (stream.received < stream.length) return undefined;
    this.#dropPartial(stream);
    return this.#message(stream, target);
  }

  /**
   * Room for the first `end` bytes of a message: at first what has come and a little ahead, then twice as much each time, so that the
   * memory follows what came, not what was announced, and the work stays linear.
   */
  #makeRoom(stream: ChunkStream, end: number): Uint8Array<ArrayBuffer> {
    const held = stream.partial;
    const wanted = held === undefined ? end + this.#aheadBytes() : Math.max(end, 2 * held.length);
    const room = Math.min(stream.length, wanted);
    const others = this.#heldBytes - (held?.length ?? 0);
    if (others + room > this.#maxHeldBytes) {
      throw new RtmpError(
        "input-too-large",
        `Cannot read message of type ${stream.typeId}: ${room} bytes needed, ${others} held for other unfinished messages, ` +
          `limit is ${this.#maxHeldBytes}`,
      );
    }
    let target: Uint8Array<ArrayBuffer>;
    if (held !== undefined && held.buffer.byteLength >= room) {
      target = new Uint8Array(held.buffer, 0, room);
      this.#slackBytes -= room - held.length;
    } else {
      target = this.#takeMemory(room);
      if (held !== undefined) {
        target.set(held.subarray(0, stream.received));
        this.#slackBytes -= slackOf(held);
      }
    }
    stream.partial = target;
    this.#heldBytes = others + room;
    return target;
  }

  /** The spare memory where it is large enough, and not by too much. What a peer may hold does not depend on it. */
  #takeMemory(room: number): Uint8Array<ArrayBuffer> {
    const slack = this.#spare.byteLength - room;
    if (slack < 0 || this.#slackBytes + slack > this.#maxSpareBytes) return new Uint8Array(room);
    const target = new Uint8Array(this.#spare, 0, room);
    this.#spare = NO_MEMORY;
    this.#slackBytes += slack;
    return target;
  }

  get #maxSpareBytes(): number {
    return Math.floor(this.#maxHeldBytes * AHEAD_PART);
  }

  #aheadBytes(): number {
    const ahead = this.#heldBytes - this.#partialBytes;
    return Math.max(0, Math.min(MAX_AHEAD_BYTES, this.#maxSpareBytes) - ahead);
  }

  #dropPartial(stream: ChunkStream): void {
    const partial = stream.partial ?? NOTHING;
    this.#partialBytes -= stream.received;
    this.#heldBytes -= partial.length;
    this.#slackBytes -= slackOf(partial);
    this.#keepSpare(partial.buffer, stream.received);
    stream.partial = undefined;
    stream.received = 0;
  }

  #keepSpare(memory: ArrayBuffer, usedBytes: number): void {
    const { byteLength } = memory;
    if (byteLength <= this.#spare.byteLength || byteLength > this.#maxSpareBytes) return;
    this.#idleMessages = usedBytes < byteLength * USED_PART ? this.#idleMessages + 1 : 0;
    this.#spare = this.#idleMessages > MAX_IDLE_MESSAGES ? NO_MEMORY : memory;
  }

  #message(stream: ChunkStream, payload: Uint8Array): RawMessage {
    return {
      typeId: stream.typeId,
      timestamp: stream.timestamp,
      messageStreamId: stream.messageStreamId,
      chunkStreamId: stream.id,
      payload,
    };
  }

  #applyControl(message: RawMessage): void {
    if (message.typeId === MESSAGE_TYPE.setChunkSize) {
      const size = controlValue(message);
      if (size < 1 || size > 0x7fffffff) {
        throw new RtmpError("chunk-size", `Cannot set chunk size: value is ${size}, must be 1 to 2147483647`);
      }
      this.#chunkSize = size;
    } else if (message.typeId === MESSAGE_TYPE.abort) {
      const stream = this.#streams.get(controlValue(message));
      if (stream?.partial !== undefined) this.#dropPartial(stream);
    }
  }
}

/** The four bytes that a Set Chunk Size, Abort, Acknowledgement or Window Acknowledgement Size carries. */
export function controlValue(message: RawMessage): number {
  if (message.payload.length < 4) {
    throw new RtmpError(
      "message-malformed",
      `Cannot read control message of type ${message.typeId}: ${message.payload.length} bytes, expected 4`,
    );
  }
  return uint32(message.payload, 0);
}

/** Whether the bytes there, as far as they have come, are those of a timestamp; some repeat only 31 of its bits. */
function startsLikeTimestamp(bytes: Uint8Array, at: number, timestamp: number): boolean {
  for (let i = 0; i < 4 && at + i < bytes.length; i++) {
    const mask = i === 0 ? 0x7f : 0xff;
    if (((bytes[at + i] as number) & mask) !== ((timestamp >>> (24 - 8 * i)) & mask)) return false;
  }
  return true;
}

function slackOf(partial: Uint8Array): number {
  return partial.buffer.byteLength - partial.length;
}
