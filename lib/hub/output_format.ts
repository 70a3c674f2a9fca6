import { chunkedLength, readWritten, writeChunks, writtenPayload } from "../wire/chunk_writer.ts";
import { CHUNK_STREAM, MESSAGE_TYPE } from "../wire/message_type.ts";
import {
  BACK_POINTER_BYTES,
  flvTagBytes,
  readFlvTagHeader,
  TAG_HEADER_BYTES,
  writeFlvTag,
} from "../wire/flv.ts";
import {
  WEB_SOCKET_OPCODE,
  webSocketHeaderBytes,
  writeWebSocketHeader,
  writtenWebSocketHeaderBytes,
} from "../wire/web_socket_frame.ts";

/** One message of a live stream, its time already on the stream's clock. */
export interface StreamMessage {
  /** 8 audio, 9 video, 18 data. */
  readonly typeId: number;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** A message found in finished bytes. */
export interface FoundMessage {
  readonly typeId: number;
  readonly timestamp: number;
  /** Offset behind its last byte. */
  readonly end: number;
}

/** An output of a stream: RTMP chunks, small ones for other servers, FLV tags, or FLV tags that are each a WebSocket message. */
export type OutputName = "rtmp" | "rtmp-forward" | "flv" | "flv-web-socket";

/** How messages become the bytes that players read. Without state: the same message is always the same bytes. */
export interface OutputFormat {
  readonly name: OutputName;
  /** Bytes that `write` will write. */
  length(message: StreamMessage): number;
  /** Writes a message at `offset`; returns the offset behind it. */
  write(target: Uint8Array, offset: number, message: StreamMessage): number;
  /** The message that begins at `offset` of finished bytes. */
  find(bytes: Uint8Array, offset: number): FoundMessage;
  /** The message that begins at `offset`, with its payload (a view where possible). */
  read(bytes: Uint8Array, offset: number): StreamMessage & FoundMessage;
}

/** The message stream id in all serialised bytes: the only one that nearly every player creates. */
export const LOG_MESSAGE_STREAM_ID = 1;

/** Chunk size of what is forwarded to other servers, in bytes: OBS's, which every platform takes. */
export const FORWARD_CHUNK_SIZE = 4096;

/** RTMP chunks of one size. */
export function rtmpFormat(chunkSize: number, name: "rtmp" | "rtmp-forward" = "rtmp"): OutputFormat {
  const chunked = (message: StreamMessage) => ({
    typeId: message.typeId,
    timestamp: message.timestamp,
    messageStreamId: LOG_MESSAGE_STREAM_ID,
    chunkStreamId: message.typeId === MESSAGE_TYPE.video
      ? CHUNK_STREAM.video
      : message.typeId === MESSAGE_TYPE.audio
      ? CHUNK_STREAM.audio
      : CHUNK_STREAM.metadata,
  });
  return {
    name,
    length: (message) => chunkedLength(message.payload.length, message.timestamp, chunkSize),
    write: (target, offset, message) =>
      writeChunks(target, offset, chunked(message), message.payload, chunkSize),
    find: (bytes, offset) => readWritten(bytes, offset, chunkSize),
    read(bytes, offset) {
      const written = readWritten(bytes, offset, chunkSize);
      return { ...written, payload: writtenPayload(bytes, written, chunkSize) };
    },
  };
}

/** FLV tags, each with the previous tag size behind it. */
export const FLV_FORMAT: OutputFormat = {
  name: "flv",
  length: (message) => flvTagBytes(message.payload.length),
  write: (target, offset, { typeId, timestamp, payload }) =>
    writeFlvTag(target, offset, typeId, timestamp, payload),
  find(bytes, offset) {
    const { typeId, size, timestamp } = readFlvTagHeader(bytes, offset);
    return { typeId, timestamp, end: offset + flvTagBytes(size) };
  },
  read(bytes, offset) {
    const found = this.find(bytes, offset);
    return { ...found, payload: bytes.subarray(offset + TAG_HEADER_BYTES, found.end - BACK_POINTER_BYTES) };
  },
};

/** FLV tags, each a binary message of a WebSocket. */
export const WEB_SOCKET_FLV_FORMAT: OutputFormat = {
  name: "flv-web-socket",
  length(message) {
    const tagBytes = FLV_FORMAT.length(message);
    return webSocketHeaderBytes(tagBytes) + tagBytes;
  },
  write(target, offset, message) {
    const at = writeWebSocketHeader(target, offset, WEB_SOCKET_OPCODE.binary, FLV_FORMAT.length(message));
    return FLV_FORMAT.write(target, at, message);
  },
  find: (bytes, offset) => FLV_FORMAT.find(bytes, offset + writtenWebSocketHeaderBytes(bytes, offset)),
  read: (bytes, offset) => FLV_FORMAT.read(bytes, offset + writtenWebSocketHeaderBytes(bytes, offset)),
};
