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

/** A frame from a client that the server has to do something about. */
export type WebSocketInput =
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  | { readonly kind: "close" };

/** The client broke the protocol; `closeCode` tells it how (RFC 6455, section 7.4.1). */
export class WebSocketError extends Error {
  override readonly name = "WebSocketError";
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

const MAX_CONTROL_BYTES = 125;
const PROTOCOL_ERROR = 1002;
const TOO_BIG = 1009;

/**
 * Reads what a client of whom nothing is expected sends: tells pings and its close, and leaves out messages, which may be short only.
 * Holds no more than one control frame.
 */
export class WebSocketReader {
  readonly #maxMessageBytes: number;
  /** The header under way. */
  readonly #header = new Uint8Array(14);
  #headerBytes = 0;
  #headerNeeded = 2;
  #opcode = 0;
  #left = 0;
  #maskAt = 0;
  #control: Uint8Array | undefined;
  #messageBytes = 0;
  #isInMessage = false;

  /** @param maxMessageBytes Longest message, fragments together. */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Takes bytes of any number of frames.
   *
   * @throws {WebSocketError} The connection can't go on.
   */
  *push(bytes: Uint8Array): Generator<WebSocketInput> {
    for (let offset = 0; offset < bytes.length;) {
      if (this.#headerBytes < this.#headerNeeded) {
        this.#header[this.#headerBytes++] = bytes[offset++] as number;
        if (this.#headerBytes === 2) this.#readLength();
        if (this.#headerBytes === this.#headerNeeded) this.#beginPayload();
      } else {
        const count = Math.min(this.#left, bytes.length - offset);
        this.#takePayload(bytes.subarray(offset, offset + count));
        offset += count;
      }
      if (this.#headerBytes === this.#headerNeeded && this.#left === 0) {
        const control = this.#control;
        this.#control = undefined;
        this.#headerBytes = 0;
        this.#headerNeeded = 2;
        if (this.#opcode === WEB_SOCKET_OPCODE.close) yield { kind: "close" };
        else if (this.#opcode === WEB_SOCKET_OPCODE.ping && control !== undefined) {
          yield { kind: "ping", payload: control };
        }
      }
    }
  }

  #readLength(): void {
    const [first, second] = this.#header as unknown as [number, number];
    const size = second & 0x7f;
    const isFinal = (first & 0x80) !== 0;
    const isControl = (first & 0x08) !== 0;
    this.#opcode = first & 0x0f;
    const isKnown = this.#opcode <= 2 || (this.#opcode >= 8 && this.#opcode <= 10);
    const isInOrder = isControl || (this.#opcode === 0) === this.#isInMessage;
    if ((first & 0x70) !== 0 || !isKnown || !isInOrder) {
      throw new WebSocketError(PROTOCOL_ERROR, `Cannot read WebSocket frame: its first byte is ${first}`);
    }
    if ((second & 0x80) === 0) {
      throw new WebSocketError(PROTOCOL_ERROR, "Cannot read WebSocket frame: a client's must be masked");
    }
    if (isControl && (!isFinal || size > MAX_CONTROL_BYTES)) {
      throw new WebSocketError(
        PROTOCOL_ERROR,
        `Cannot read WebSocket frame: a control frame must be whole and at most ${MAX_CONTROL_BYTES} bytes`,
      );
    }
    if (!isControl) {
      if (this.#opcode !== 0) this.#messageBytes = 0;
      this.#isInMessage = !isFinal;
    }
    this.#headerNeeded = 2 + (size < 126 ? 0 : size === 126 ? 2 : 8) + 4;
  }

  #beginPayload(): void {
    const view = new DataView(this.#header.buffer);
    const short = (this.#header[1] as number) & 0x7f;
    this.#left = short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
    this.#maskAt = 0;
    if (this.#opcode >= 8) {
      this.#control = new Uint8Array(this.#left);
      return;
    }
    this.#messageBytes += this.#left;
    if (this.#messageBytes > this.#maxMessageBytes) {
      throw new WebSocketError(
        TOO_BIG,
        `Cannot read WebSocket message: ${this.#messageBytes} bytes announced, limit is ${this.#maxMessageBytes}`,
      );
    }
  }

  #takePayload(bytes: Uint8Array): void {
    const control = this.#control;
    if (control !== undefined) {
      const mask = this.#headerNeeded - 4;
      for (const byte of bytes) {
        control[this.#maskAt] = byte ^ (this.#header[mask + (this.#maskAt & 3)] as number);
        this.#maskAt++;
      }
    }
    this.#left -= bytes.length;
  }
}
