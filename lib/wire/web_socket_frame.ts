/**
 * Frames of a WebSocket as a server writes them: whole and unmasked.
 *
 * @module
 * @see RFC 6455, section 5.2
 */

/** What a frame is. */
export const WEB_SOCKET_OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

const IS_FINAL = 0x80;

/** How many bytes stand before a payload of `size` bytes. */
export function webSocketHeaderBytes(size: number): number {
  return size < 126 ? 2 : size < 0x1_0000 ? 4 : 10;
}

/**
 * Writes what stands before a payload.
 *
 * @param opcode One of {@linkcode WEB_SOCKET_OPCODE}.
 * @param size Bytes of payload, below 2^32.
 * @returns The offset behind it.
 */
export function writeWebSocketHeader(
  target: Uint8Array,
  offset: number,
  opcode: number,
  size: number,
): number {
  target[offset] = IS_FINAL | opcode;
  const length = webSocketHeaderBytes(size);
  if (length === 2) {
    target[offset + 1] = size;
  } else if (length === 4) {
    target.set([126, size >>> 8, size], offset + 1);
  } else {
    target.set([127, 0, 0, 0, 0, size >>> 24, size >>> 16, size >>> 8, size], offset + 1);
  }
  return offset + length;
}

/** A whole frame. */
export function webSocketFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(webSocketHeaderBytes(payload.length) + payload.length);
  frame.set(payload, writeWebSocketHeader(frame, 0, opcode, payload.length));
  return frame;
}

/** Bytes of the header that begins at `offset` of written frames. */
export function writtenWebSocketHeaderBytes(bytes: Uint8Array, offset: number): number {
  const size = (bytes[offset + 1] as number) & 0x7f;
  return size < 126 ? 2 : size === 126 ? 4 : 10;
}
