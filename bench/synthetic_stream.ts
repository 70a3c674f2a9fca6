import { Amf0EcmaArray, encodeAmf0 } from "../lib/wire/amf0.ts";
import { encodeChunks } from "../lib/wire/chunk_writer.ts";
import { MESSAGE_TYPE } from "../lib/wire/message_type.ts";

/** Chunk size of what we publish, in bytes: OBS's. */
export const PUBLISH_CHUNK_SIZE = 4096;
/** Bytes at a message's end that are the sender's to fill; never split by a chunk header. */
export const STAMP_BYTES = 8;

const CYCLE_MS = 2000;
const FRAMES_PER_CYCLE = 50;
const AUDIO_PER_CYCLE = 86;
const AUDIO_KBPS = 64;
/** A key frame is so many times an ordinary frame. */
const KEY_FRAME_WEIGHT = 10;
const AUDIO_CHUNK_STREAM = 4;
const VIDEO_CHUNK_STREAM = 6;

/** H.264 High, 640x360. */
const AVC_CONFIG =
  "17000000000164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000468efbcb0fdf8f800";
const AAC_CONFIG = "af00120856e500";

/** One message as it goes to the socket. */
export interface TimedBytes {
  /** From the start of the stream, or of the cycle, in milliseconds. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/**
 * What an encoder sends: headers and the first message of each track, then a cycle of two seconds again and again. All bytes are
 * made once: from the second message of a track on headers carry time as deltas, so they never change.
 */
export interface SyntheticStream {
  readonly start: readonly Uint8Array[];
  readonly cycle: readonly TimedBytes[];
  readonly cycleMs: number;
}

/** A stream of 25 frames and 43 audio messages a second with a key frame every two seconds, `kbps` in all. */
export function syntheticStream(kbps: number, messageStreamId: number): SyntheticStream {
  const videoBytes = (kbps - AUDIO_KBPS) / 8 * CYCLE_MS;
  const frameBytes = videoBytes / (FRAMES_PER_CYCLE - 1 + KEY_FRAME_WEIGHT);
  const audioBytes = AUDIO_KBPS / 8 * CYCLE_MS / AUDIO_PER_CYCLE;
  const cycle: TimedBytes[] = [];
  let deltaFrom = 0;
  for (let i = 0; i < AUDIO_PER_CYCLE; i++) {
    const atMs = Math.round((i + 1) * CYCLE_MS / AUDIO_PER_CYCLE);
    const payload = filled([0xaf, 1], audioBytes);
    cycle.push({ atMs, bytes: delta(AUDIO_CHUNK_STREAM, MESSAGE_TYPE.audio, atMs - deltaFrom, payload) });
    deltaFrom = atMs;
  }
  for (let i = 0; i < FRAMES_PER_CYCLE; i++) {
    const isKey = i === 0;
    const size = frameBytes * (isKey ? KEY_FRAME_WEIGHT : 1);
    const payload = filled([isKey ? 0x17 : 0x27, 1, 0, 0, 0], size);
    new DataView(payload.buffer).setUint32(5, payload.length - 9);
    payload[9] = isKey ? 0x65 : 0x41;
    const stepMs = CYCLE_MS / FRAMES_PER_CYCLE;
    cycle.push({
      atMs: (i + 1) * stepMs,
      bytes: delta(VIDEO_CHUNK_STREAM, MESSAGE_TYPE.video, stepMs, payload),
    });
  }
  cycle.sort((a, b) => a.atMs - b.atMs);
  return { start: startMessages(kbps, messageStreamId), cycle, cycleMs: CYCLE_MS };
}

/** Metadata and codec headers at time 0, each with a full header. */
function startMessages(kbps: number, messageStreamId: number): Uint8Array[] {
  const metadata = encodeAmf0([
    "@setDataFrame",
    "onMetaData",
    Amf0EcmaArray.from({
      width: 640,
      height: 360,
      framerate: 25,
      videocodecid: 7,
      videodatarate: kbps - AUDIO_KBPS,
      audiocodecid: 10,
      audiodatarate: AUDIO_KBPS,
    }),
  ]);
  const full = (chunkStreamId: number, typeId: number, payload: Uint8Array) =>
    encodeChunks({ typeId, timestamp: 0, messageStreamId, chunkStreamId }, payload, PUBLISH_CHUNK_SIZE);
  return [
    full(AUDIO_CHUNK_STREAM, MESSAGE_TYPE.data, metadata),
    full(VIDEO_CHUNK_STREAM, MESSAGE_TYPE.video, Uint8Array.from(AVC_CONFIG.match(/../g) ?? [], fromHex)),
    full(AUDIO_CHUNK_STREAM, MESSAGE_TYPE.audio, Uint8Array.from(AAC_CONFIG.match(/../g) ?? [], fromHex)),
  ];
}

/** A message with a type 1 header. Its first byte counts; the rest of a written full header is cut out. */
function delta(chunkStreamId: number, typeId: number, deltaMs: number, payload: Uint8Array): Uint8Array {
  const header = { typeId, timestamp: deltaMs, messageStreamId: 0, chunkStreamId };
  const full = encodeChunks(header, payload, PUBLISH_CHUNK_SIZE);
  const bytes = new Uint8Array(full.length - 4);
  bytes.set(full.subarray(0, 8));
  bytes.set(full.subarray(12), 8);
  bytes[0] = 0x40 | chunkStreamId;
  return bytes;
}

/** A payload that begins with `head` and does not repeat itself. */
function filled(head: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  let length = Math.max(Math.round(size), head.length + 16 + STAMP_BYTES);
  const tail = length % PUBLISH_CHUNK_SIZE;
  if (tail < STAMP_BYTES) length += STAMP_BYTES - tail;
  const payload = new Uint8Array(length);
  for (let i = 0; i < length; i++) payload[i] = Math.imul(i, 2654435761) >>> 13;
  payload.set(head);
  return payload;
}

function fromHex(digits: string): number {
  return parseInt(digits, 16);
}
