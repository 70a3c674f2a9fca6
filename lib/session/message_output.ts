import { joinBytes } from "../base/join_bytes.ts";
import { type ChunkedMessage, encodeChunks } from "../wire/chunk_writer.ts";
import { INITIAL_CHUNK_SIZE } from "../wire/chunk_reader.ts";
import { CHUNK_STREAM, MESSAGE_TYPE } from "../wire/message_type.ts";
import { encodeUint32, encodeUserControl } from "../wire/control.ts";

/** Gathers what a session wants sent: control messages and commands as chunks, in order. */
export class MessageOutput {
  #pieces: Uint8Array[] = [];
  #chunkSize = INITIAL_CHUNK_SIZE;

  /** Whether nothing has been gathered since `take`. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Everything gathered since the last call, or undefined. The caller sends it whole, in order. */
  take(): Uint8Array | undefined {
    const pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    this.#pieces = [];
    return pieces.length === 1 ? pieces[0] : joinBytes(pieces);
  }

  /** Bytes that are not chunks: the handshake. */
  raw(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  message(message: ChunkedMessage, payload: Uint8Array): void {
    this.#pieces.push(encodeChunks(message, payload, this.#chunkSize));
  }

  /** A protocol control message: chunk stream 2, message stream 0. */
  control(typeId: number, payload: Uint8Array): void {
    this.message({ typeId, timestamp: 0, messageStreamId: 0, chunkStreamId: CHUNK_STREAM.control }, payload);
  }

  /** Sends Set Chunk Size and uses it from the next message on. */
  setChunkSize(bytes: number): void {
    if (bytes === this.#chunkSize) return;
    this.control(MESSAGE_TYPE.setChunkSize, encodeUint32(bytes));
    this.#chunkSize = bytes;
  }

  userControl(event: number, ...values: number[]): void {
    this.control(MESSAGE_TYPE.userControl, encodeUserControl(event, ...values));
  }

  /** A command of the connection (message stream 0) or of a stream. */
  command(messageStreamId: number, payload: Uint8Array): void {
    this.message({
      typeId: MESSAGE_TYPE.command,
      timestamp: 0,
      messageStreamId,
      chunkStreamId: messageStreamId === 0 ? CHUNK_STREAM.connectionCommand : CHUNK_STREAM.streamCommand,
    }, payload);
  }
}
