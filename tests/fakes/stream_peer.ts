import { LiveStream, type LiveStreamOptions } from "../../lib/hub/live_stream.ts";
import type { StreamFeed } from "../../lib/hub/stream_feed.ts";
import type { PlayerCursor } from "../../lib/hub/player_cursor.ts";
import { joinBytes } from "../../lib/base/join_bytes.ts";
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";

export const TEST_STREAM_OPTIONS: LiveStreamOptions = {
  chunkSize: 60_000,
  gopCache: true,
  gopCacheMaxFrames: 2500,
  gopCacheMaxBytes: 16 * 1024 * 1024,
  queueLengthMs: 30_000,
  gatherMs: 0,
  metadata: true,
  sequenceHeaders: true,
  server: "test",
};

export function newStream(options: Partial<LiveStreamOptions> = {}): LiveStream {
  return new LiveStream("/live/s", { ...TEST_STREAM_OPTIONS, ...options }, () => {});
}

/** An encoder, as a stream sees it. Time is the media's. */
export class TestFeed {
  readonly #feed: StreamFeed;

  /** What was left out of it, and why. */
  readonly leftOut: string[] = [];

  constructor(stream: LiveStream, id = "encoder", kind: "publish" | "pull" = "publish") {
    this.#feed = stream.attach({
      kind,
      id,
      startedAtMs: 0,
      onLeftOut: (what, error) => this.leftOut.push(`${what}: ${error.code}`),
    });
  }

  /** H.264 configuration; `tag` tells one from another. */
  videoHeader(timestamp: number, tag = 0): void {
    this.write(9, timestamp, Uint8Array.of(0x17, 0, 0, 0, 0, tag));
  }
  /** AAC configuration. */
  audioHeader(timestamp: number, tag = 0): void {
    this.write(8, timestamp, Uint8Array.of(0xaf, 0, tag));
  }
  keyframe(timestamp: number, bytes = 10): void {
    this.write(9, timestamp, frame(0x17, bytes));
  }
  inter(timestamp: number, bytes = 10): void {
    this.write(9, timestamp, frame(0x27, bytes));
  }
  audio(timestamp: number, bytes = 10): void {
    this.write(8, timestamp, frame(0xaf, bytes));
  }
  metadata(properties: Record<string, Amf0Value> = { width: 1 }, timestamp = 0): void {
    this.write(18, timestamp, encodeAmf0(["onMetaData", Amf0Object.from(properties)]));
  }
  write(typeId: number, timestamp: number, payload: Uint8Array, nowMs: number = timestamp): void {
    this.#feed.write({ typeId, timestamp, payload }, nowMs);
  }
  close(): void {
    this.#feed.close();
  }
}

function frame(first: number, bytes: number): Uint8Array {
  const payload = new Uint8Array(Math.max(bytes, 2)).fill(0x55);
  payload[0] = first;
  payload[1] = 1;
  return payload;
}

/** What a player is given, message by message, a word each: `K1000` key frame, `p` inter frame, `a` audio, `V`/`A` headers with their tag, `M` metadata, `d` other data. */
export function readAll(cursor: PlayerCursor): string[] {
  const words: string[] = [];
  for (let bytes = nextWhole(cursor); bytes !== undefined; bytes = nextWhole(cursor)) {
    words.push(...describeBytes(cursor, bytes));
  }
  return words;
}

/** What a player is given next, to the end of a message. */
export function nextWhole(cursor: PlayerCursor): Uint8Array | undefined {
  let bytes = cursor.next();
  while (bytes !== undefined && cursor.isInsideMessage) {
    bytes = joinBytes([bytes, cursor.next() ?? new Uint8Array(0)]);
  }
  return bytes;
}

/** The messages in bytes that a cursor gave. */
export function describeBytes(cursor: PlayerCursor, bytes: Uint8Array): string[] {
  const words: string[] = [];
  const { format } = cursor.output;
  for (let at = 0; at < bytes.length;) {
    const message = format.read(bytes, at);
    if (message.end > bytes.length) throw new Error(`message at ${at} is cut off`);
    const { payload, timestamp } = message;
    const isHeader = payload[1] === 0;
    words.push(
      message.typeId === 18
        ? (payload[3] === 0x6f && payload[5] === 0x4d ? `M${timestamp}` : `d${timestamp}`)
        : message.typeId === 8
        ? (isHeader ? `A${timestamp}#${payload[2]}` : `a${timestamp}`)
        : isHeader
        ? `V${timestamp}#${payload[5]}`
        : (payload[0] === 0x17 ? `K${timestamp}` : `p${timestamp}`),
    );
    at = message.end;
  }
  return words;
}
