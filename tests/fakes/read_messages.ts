import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "../../lib/wire/limits.ts";

/** All messages in pieces of one direction's bytes, each with a payload of its own. The pieces' memory is reused, as a socket's is. */
export function readMessages(
  pieces: readonly Uint8Array[],
  limits: WireLimits = DEFAULT_WIRE_LIMITS,
  reader: ChunkReader = new ChunkReader(limits),
): RawMessage[] {
  const messages: RawMessage[] = [];
  for (const piece of pieces) {
    const buffer = piece.slice();
    reader.push(buffer);
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      messages.push({ ...message, payload: message.payload.slice() });
    }
    buffer.fill(0xee);
  }
  return messages;
}

/** Bytes in pieces of `size`. */
export function cutEvery(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Pieces as one array. */
export function joinBytes(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

/** `length` bytes that tell where they stand. */
export function patternBytes(length: number, first = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
}
