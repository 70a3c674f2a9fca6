import { uint24, uint32, writeUint32 } from "./bytes.ts";

const EXTENDED = 0xffffff;

/** What a chunk header needs to know of a message. */
export interface ChunkedMessage {
  readonly typeId: number;
  /** Milliseconds; the low 32 bits are sent. */
  readonly timestamp: number;
  readonly messageStreamId: number;
  /** 2 to 63: we never need the longer forms for what we send. */
  readonly chunkStreamId: number;
}

/** Bytes that `writeChunks` will write for a payload of `length` bytes. */
export function chunkedLength(length: number, timestamp: number, chunkSize: number): number {
  const extendedBytes = timestamp >>> 0 >= EXTENDED ? 4 : 0;
  const continuations = length > chunkSize ? Math.ceil(length / chunkSize) - 1 : 0;
  return 12 + extendedBytes + length + continuations * (1 + extendedBytes);
}

/**
 * Writes one message as chunks: a full (type 0) header, then type 3 ones, the extended timestamp repeated on each, as SRS and
 * FFmpeg write it. No state between messages, so the same bytes serve every player.
 *
 * @param target Has room for `chunkedLength` bytes from `offset`.
 * @returns The offset behind the last byte.
 */
export function writeChunks(
  target: Uint8Array,
  offset: number,
  message: ChunkedMessage,
  payload: Uint8Array,
  chunkSize: number,
): number {
  const timestamp = message.timestamp >>> 0;
  const isExtended = timestamp >= EXTENDED;
  const field = isExtended ? EXTENDED : timestamp;
  const length = payload.length;
  const sid = message.messageStreamId;
  target[offset++] = message.chunkStreamId;
  target[offset++] = field >>> 16;
  target[offset++] = field >>> 8;
  target[offset++] = field;
  target[offset++] = length >>> 16;
  target[offset++] = length >>> 8;
  target[offset++] = length;
  target[offset++] = message.typeId;
  target[offset++] = sid;
  target[offset++] = sid >>> 8;
  target[offset++] = sid >>> 16;
  target[offset++] = sid >>> 24;
  if (isExtended) offset = writeUint32(target, offset, timestamp);
  if (length <= chunkSize) {
    target.set(payload, offset);
    return offset + length;
  }
  let done = 0;
  for (;;) {
    const count = Math.min(chunkSize, length - done);
    target.set(payload.subarray(done, done + count), offset);
    offset += count;
    done += count;
    if (done >= length) return offset;
    target[offset++] = 0xc0 | message.chunkStreamId;
    if (isExtended) offset = writeUint32(target, offset, timestamp);
  }
}

/** One message as chunks in an array of its own. */
export function encodeChunks(message: ChunkedMessage, payload: Uint8Array, chunkSize: number): Uint8Array {
  const bytes = new Uint8Array(chunkedLength(payload.length, message.timestamp, chunkSize));
  writeChunks(bytes, 0, message, payload, chunkSize);
  return bytes;
}

/** A message found in bytes that `writeChunks` wrote. */
export interface WrittenMessage {
  readonly typeId: number;
  readonly timestamp: number;
  readonly payloadLength: number;
  /** Offset of the first payload byte. */
  readonly payloadOffset: number;
  /** Offset behind the message's last byte. */
  readonly end: number;
}

/** Finds the message that begins at `offset` in bytes written by `writeChunks` with this chunk size. */
export function readWritten(bytes: Uint8Array, offset: number, chunkSize: number): WrittenMessage {
  const field = uint24(bytes, offset + 1);
  const payloadLength = uint24(bytes, offset + 4);
  const isExtended = field === EXTENDED;
  const timestamp = isExtended ? uint32(bytes, offset + 12) : field;
  return {
    typeId: bytes[offset + 7] as number,
    timestamp,
    payloadLength,
    payloadOffset: offset + (isExtended ? 16 : 12),
    end: offset + chunkedLength(payloadLength, timestamp, chunkSize),
  };
}

/** The payload of a written message: a view where it is one chunk, a copy where it is several. */
export function writtenPayload(bytes: Uint8Array, message: WrittenMessage, chunkSize: number): Uint8Array {
  const { payloadOffset, payloadLength } = message;
  if (payloadLength <= chunkSize) return bytes.subarray(payloadOffset, payloadOffset + payloadLength);
  const payload = new Uint8Array(payloadLength);
  const separatorBytes = message.timestamp >= EXTENDED ? 5 : 1;
  let from = payloadOffset;
  for (let done = 0; done < payloadLength;) {
    const count = Math.min(chunkSize, payloadLength - done);
    payload.set(bytes.subarray(from, from + count), done);
    done += count;
    from += count + separatorBytes;
  }
  return payload;
}
