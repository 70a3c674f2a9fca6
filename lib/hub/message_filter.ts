import { type FoundMessage, LOG_MESSAGE_STREAM_ID, type OutputFormat } from "./output_format.ts";

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

/** Bytes of an RTMP message header before the message stream id, and with it. */
const MESSAGE_STREAM_ID_OFFSET = 8;
const MESSAGE_STREAM_ID_END = 12;

/** The most that is copied for one player at a time, in bytes: what a slow player then holds alone. */
const MAX_COPY_BYTES = 16 * 1024;

/** What a filter makes of the beginning of some finished bytes. */
export interface FilteredPiece {
  /** To be sent first: whole messages, or the beginning of one. Empty: there is nothing to send. */
  readonly piece: Uint8Array;
  /** The rest of the message that `piece` begins: part of the bytes that all players share. */
  readonly tail: Uint8Array | undefined;
  /** How many of the finished bytes this was. */
  readonly consumed: number;
}

/**
 * The accepted messages at the beginning of finished bytes, on the player's own message stream. Small messages are copied together;
 * a large one is not: only its header is the player's own.
 */
export function filterMessages(
  bytes: Uint8Array,
  format: OutputFormat,
  filter: MessageFilter,
): FilteredPiece {
  const id = format.name.startsWith("rtmp") && filter.messageStreamId !== LOG_MESSAGE_STREAM_ID
    ? filter.messageStreamId
    : undefined;
  const copy = new Uint8Array(Math.min(bytes.length, MAX_COPY_BYTES));
  let length = 0;
  let offset = 0;
  const payload = () => format.read(bytes, offset).payload;
  while (offset < bytes.length) {
    const message = format.find(bytes, offset);
    const { end } = message;
    // Asked once for each message, so it must fit before it is asked for.
    if (length > 0 && end - offset > copy.length - length) break;
    if (filter.accept(message, payload)) {
      if (end - offset > copy.length) return largeMessage(bytes, offset, end, id);
      copy.set(bytes.subarray(offset, end), length);
      if (id !== undefined) writeMessageStreamId(copy, length, id);
      length += end - offset;
    }
    offset = end;
  }
  return { piece: copy.subarray(0, length), tail: undefined, consumed: offset };
}

function largeMessage(bytes: Uint8Array, offset: number, end: number, id: number | undefined): FilteredPiece {
  if (id === undefined) return { piece: bytes.subarray(offset, end), tail: undefined, consumed: end };
  const header = bytes.slice(offset, offset + MESSAGE_STREAM_ID_END);
  writeMessageStreamId(header, 0, id);
  return { piece: header, tail: bytes.subarray(offset + MESSAGE_STREAM_ID_END, end), consumed: end };
}

/** Little-endian; a client may use an id that it never created. */
function writeMessageStreamId(target: Uint8Array, offset: number, id: number): void {
  for (let i = 0; i < 4; i++) target[offset + MESSAGE_STREAM_ID_OFFSET + i] = id >>> (8 * i);
}
