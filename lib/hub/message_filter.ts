import type { FoundMessage, OutputFormat } from "./output_format.ts";

/** What one player gets instead of the bytes that all get. */
export interface MessageFilter {
  /** The message stream id that this player created, when it is not the one in the log (RTMP only). */
  readonly messageStreamId?: number;
  /**
   * Whether this message is sent.
   *
   * @param payload Gives its payload, at some cost.
   */
  accept(message: FoundMessage, payload: () => Uint8Array): boolean;
}

/** Bytes of an RTMP message header before the message stream id. */
const MESSAGE_STREAM_ID_OFFSET = 8;

/** A copy of finished bytes with only the accepted messages, on the player's own message stream. */
export function filterMessages(bytes: Uint8Array, format: OutputFormat, filter: MessageFilter): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  let length = 0;
  let offset = 0;
  const payload = () => format.read(bytes, offset).payload;
  while (offset < bytes.length) {
    const message = format.find(bytes, offset);
    if (filter.accept(message, payload)) {
      copy.set(bytes.subarray(offset, message.end), length);
      const id = filter.messageStreamId;
      if (id !== undefined && format.name === "rtmp") {
        // Little-endian; a client may use an id that it never created.
        for (let i = 0; i < 4; i++) copy[length + MESSAGE_STREAM_ID_OFFSET + i] = id >>> (8 * i);
      }
      length += message.end - offset;
    }
    offset = message.end;
  }
  return copy.subarray(0, length);
}
