/** What one peer may make us hold. Each is checked when a length is announced, not when its bytes have come. */
export interface WireLimits {
  /** Longest message, in bytes. @default {16777216} */
  readonly maxMessageBytes: number;
  /** Chunk streams that one connection may open. @default {64} */
  readonly maxChunkStreams: number;
  /** Bytes of unfinished messages and of input not yet read, over all chunk streams of a connection. @default {33554432} */
  readonly maxBufferedBytes: number;
  /** Nesting of AMF objects and arrays. @default {32} */
  readonly maxAmfDepth: number;
  /** Longest AMF string, in bytes of UTF-8. @default {65536} */
  readonly maxAmfStringBytes: number;
  /** AMF properties and array elements in one message. @default {1024} */
  readonly maxAmfProperties: number;
}

/** Section 8 of the design. */
export const DEFAULT_WIRE_LIMITS: WireLimits = {
  maxMessageBytes: 16 * 1024 * 1024,
  maxChunkStreams: 64,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxAmfDepth: 32,
  maxAmfStringBytes: 64 * 1024,
  maxAmfProperties: 1024,
};

/** What we send in chunks of, where nothing else is configured, in bytes: SRS's. */
export const DEFAULT_CHUNK_SIZE = 60_000;
