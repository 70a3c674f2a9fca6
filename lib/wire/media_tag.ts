/**
 * The first bytes of an audio or video message: what a server must know to cache, start and drop, and nothing more.
 * Every payload has an answer, however short or strange it is.
 *
 * @module
 * @see Video File Format Specification 10.1, annex E; Enhanced RTMP v2
 */

/** What a message holds that must be kept for players who come later. */
export type MediaHeaderKind = "config" | "multichannel" | "metadata";

/** What the first bytes of a media message say. Shared and frozen; not one for each message. */
export interface MediaTagInfo {
  readonly media: "audio" | "video";
  /** A decoder cannot start without it. */
  readonly isSequenceHeader: boolean;
  /**
   * A frame that a decoder can start at. A GOP starts where this holds and {@linkcode trackId} is 0 (or the lowest
   * of a stream that has no track 0). Never holds for audio.
   */
  readonly isKeyframe: boolean;
  /** Coded media: not a header, an end of sequence, metadata or a command. */
  readonly isFrame: boolean;
  /** `H264`, `HEVC`, `VVC`, `AV1`, `VP8`, `VP9`, `VP6`, `AAC`, `MP3`, `Opus`, `AC-3`, `E-AC-3`, `FLAC`…, or `Other`. */
  readonly codec: string;
  /** Has the Enhanced RTMP header, which only players that know it can read. */
  readonly isEnhanced: boolean;
  /** The lowest in the message; 0 where no track is named. */
  readonly trackId: number;
  /** All that are in the message, ascending. */
  readonly trackIds: readonly number[];
  readonly isMultitrack: boolean;
  /** What is cached for these tracks no longer holds. */
  readonly isSequenceEnd: boolean;
  readonly headerKind: MediaHeaderKind | undefined;
  /**
   * What a header is filed under: media, tracks and kind; empty for what is not a header. A header for several
   * tracks has a key of its own, so replay headers in the order in which they last came.
   */
  readonly headerKey: string;
}

type Purpose = MediaHeaderKind | "frame" | "keyframe" | "sequenceEnd" | "command";

const NO_TRACK: readonly number[] = Object.freeze([0]);

function describe(
  media: "audio" | "video",
  codec: string,
  purpose: Purpose,
  isEnhanced: boolean,
  trackIds: readonly number[] = NO_TRACK,
  isMultitrack: boolean = false,
): MediaTagInfo {
  const headerKind = purpose === "config" || purpose === "multichannel" || purpose === "metadata"
    ? purpose
    : undefined;
  return Object.freeze({
    media,
    isSequenceHeader: purpose === "config",
    isKeyframe: purpose === "keyframe",
    isFrame: purpose === "frame" || purpose === "keyframe",
    codec,
    isEnhanced,
    trackId: trackIds[0] ?? 0,
    trackIds,
    isMultitrack,
    isSequenceEnd: purpose === "sequenceEnd",
    headerKind,
    headerKey: headerKind === undefined ? "" : `${media}/${trackIds.join(",")}/${headerKind}`,
  });
}

const OPAQUE_VIDEO = describe("video", "Other", "frame", false);
const OPAQUE_AUDIO = describe("audio", "Other", "frame", false);
const OPAQUE_ENHANCED_VIDEO = describe("video", "Other", "frame", true);
const OPAQUE_ENHANCED_AUDIO = describe("audio", "Other", "frame", true);
const VIDEO_COMMAND = describe("video", "Other", "command", true);

const KEYFRAME = 1;
const COMMAND_FRAME = 5;

const VIDEO_SEQUENCE_START = 0;
const VIDEO_SEQUENCE_END = 2;
const VIDEO_METADATA = 4;
const VIDEO_MPEG2TS_SEQUENCE_START = 5;
const VIDEO_MULTITRACK = 6;
const AUDIO_SEQUENCE_START = 0;
const AUDIO_SEQUENCE_END = 2;
const AUDIO_MULTICHANNEL_CONFIG = 4;
const AUDIO_MULTITRACK = 5;
const AUDIO_ENHANCED = 9;
const AUDIO_AAC = 10;
const MOD_EX = 7;

const LEGACY_VIDEO_CODECS: Readonly<Record<number, string>> = {
  2: "H.263",
  3: "Screen",
  4: "VP6",
  5: "VP6",
  6: "Screen2",
  7: "H264",
  // Not in any specification, but sent by many encoders since before Enhanced RTMP.
  12: "HEVC",
  13: "AV1",
};

const LEGACY_AUDIO_CODECS: Readonly<Record<number, string>> = {
  0: "PCM",
  1: "ADPCM",
  2: "MP3",
  3: "PCM",
  4: "Nellymoser",
  5: "Nellymoser",
  6: "Nellymoser",
  7: "G.711A",
  8: "G.711U",
  10: "AAC",
  11: "Speex",
  // SRS's own.
  13: "Opus",
  14: "MP3",
};

const VIDEO_FOURCC = new Map([
  [fourCc("avc1"), "H264"],
  [fourCc("hvc1"), "HEVC"],
  [fourCc("vvc1"), "VVC"],
  [fourCc("av01"), "AV1"],
  [fourCc("vp08"), "VP8"],
  [fourCc("vp09"), "VP9"],
]);

const AUDIO_FOURCC = new Map([
  [fourCc("mp4a"), "AAC"],
  [fourCc("Opus"), "Opus"],
  [fourCc(".mp3"), "MP3"],
  [fourCc("fLaC"), "FLAC"],
  [fourCc("ac-3"), "AC-3"],
  [fourCc("ec-3"), "E-AC-3"],
]);

function fourCc(text: string): number {
  let value = 0;
  for (const char of text) value = value * 256 + char.charCodeAt(0);
  return value;
}

/** Whether a second byte says what the message holds, as it does for AVC. */
function hasPacketType(legacyVideoCodec: number): boolean {
  return legacyVideoCodec === 7 || legacyVideoCodec === 12 || legacyVideoCodec === 13;
}

function legacyVideoPurpose(byte0: number, packetType: number): Purpose {
  const frameType = byte0 >> 4;
  // First, since the byte after a command is the command, not a packet type.
  if (frameType === COMMAND_FRAME) return "command";
  if (packetType === 0) return "config";
  if (packetType === 2) return "sequenceEnd";
  return frameType === KEYFRAME && packetType === 1 ? "keyframe" : "frame";
}

function videoPurpose(frameType: number, packetType: number): Purpose {
  switch (packetType) {
    case VIDEO_SEQUENCE_START:
    case VIDEO_MPEG2TS_SEQUENCE_START:
      return "config";
    case VIDEO_SEQUENCE_END:
      return "sequenceEnd";
    case VIDEO_METADATA:
      return "metadata";
    case 1:
    case 3:
      return frameType === KEYFRAME ? "keyframe" : "frame";
    default:
      // A type that is not invented yet is passed on, but nothing starts at it.
      return "frame";
  }
}

function audioPurpose(packetType: number): Purpose {
  if (packetType === AUDIO_SEQUENCE_START) return "config";
  if (packetType === AUDIO_SEQUENCE_END) return "sequenceEnd";
  return packetType === AUDIO_MULTICHANNEL_CONFIG ? "multichannel" : "frame";
}

/** Legacy video by first byte, for packet types 0, 1, 2 and others. Codecs without one are all in 1. */
const LEGACY_VIDEO = [0, 1, 2, 3].map((packetType) =>
  Array.from({ length: 128 }, (_, byte0) => {
    const codec = byte0 & 0x0f;
    const purpose = legacyVideoPurpose(byte0, hasPacketType(codec) ? packetType : 1);
    return describe("video", LEGACY_VIDEO_CODECS[codec] ?? "Other", purpose, false);
  })
);
const [
  LEGACY_VIDEO_HEADERS = [],
  LEGACY_VIDEO_FRAMES = [],
  LEGACY_VIDEO_ENDS = [],
  LEGACY_VIDEO_OTHERS = [],
] = LEGACY_VIDEO;

const LEGACY_AUDIO_FRAMES = Array.from(
  { length: 16 },
  (_, format) => describe("audio", LEGACY_AUDIO_CODECS[format] ?? "Other", "frame", false),
);
const AAC_HEADER = describe("audio", "AAC", "config", false);

/** Enhanced video on one track: codec, then frame type and packet type as in the first byte. */
const ENHANCED_VIDEO = new Map(
  [...VIDEO_FOURCC.values(), "Other"].map((codec) => [
    codec,
    Array.from({ length: 128 }, (_, b) => describe("video", codec, videoPurpose(b >> 4, b & 0x0f), true)),
  ]),
);

/** Enhanced audio on one track: codec, then packet type. */
const ENHANCED_AUDIO = new Map(
  [...AUDIO_FOURCC.values(), "Other"].map((codec) => [
    codec,
    Array.from({ length: 16 }, (_, packetType) => describe("audio", codec, audioPurpose(packetType), true)),
  ]),
);

/** What a video message is. Never throws; what cannot be made out is a frame of codec `Other`. */
export function readVideoTag(payload: Uint8Array): MediaTagInfo {
  const byte0 = payload[0];
  if (byte0 === undefined) return OPAQUE_VIDEO;
  if (byte0 >= 0x80) return readEnhancedVideo(payload, byte0);
  if (!hasPacketType(byte0 & 0x0f)) return LEGACY_VIDEO_FRAMES[byte0] ?? OPAQUE_VIDEO;
  switch (payload[1]) {
    case undefined:
      return OPAQUE_VIDEO;
    case 0:
      return LEGACY_VIDEO_HEADERS[byte0] ?? OPAQUE_VIDEO;
    case 1:
      return LEGACY_VIDEO_FRAMES[byte0] ?? OPAQUE_VIDEO;
    case 2:
      return LEGACY_VIDEO_ENDS[byte0] ?? OPAQUE_VIDEO;
    default:
      return LEGACY_VIDEO_OTHERS[byte0] ?? OPAQUE_VIDEO;
  }
}

/** What an audio message is. Never throws. One without any bytes is legal: silence from its timestamp on. */
export function readAudioTag(payload: Uint8Array): MediaTagInfo {
  const byte0 = payload[0];
  if (byte0 === undefined) return OPAQUE_AUDIO;
  const format = byte0 >> 4;
  if (format === AUDIO_ENHANCED) return readEnhancedAudio(payload, byte0);
  if (format === AUDIO_AAC) {
    const packetType = payload[1];
    if (packetType === undefined) return OPAQUE_AUDIO;
    if (packetType === 0) return AAC_HEADER;
  }
  return LEGACY_AUDIO_FRAMES[format] ?? OPAQUE_AUDIO;
}

function readEnhancedVideo(payload: Uint8Array, byte0: number): MediaTagInfo {
  const frameType = (byte0 >> 4) & 0x07;
  const start = afterModEx(payload, byte0 & 0x0f);
  if (start === undefined) return OPAQUE_ENHANCED_VIDEO;
  const { packetType, offset } = start;
  if (frameType === COMMAND_FRAME && packetType !== VIDEO_METADATA) return VIDEO_COMMAND;
  if (packetType === VIDEO_MULTITRACK) {
    const multitrack = readTracks(payload, offset, VIDEO_FOURCC);
    if (multitrack === undefined || multitrack.packetType === VIDEO_MULTITRACK) return OPAQUE_ENHANCED_VIDEO;
    const { codec, trackIds } = multitrack;
    return describe("video", codec, videoPurpose(frameType, multitrack.packetType), true, trackIds, true);
  }
  if (offset + 4 > payload.byteLength) return OPAQUE_ENHANCED_VIDEO;
  const codec = VIDEO_FOURCC.get(u32(payload, offset)) ?? "Other";
  return ENHANCED_VIDEO.get(codec)?.[(frameType << 4) | packetType] ?? OPAQUE_ENHANCED_VIDEO;
}

function readEnhancedAudio(payload: Uint8Array, byte0: number): MediaTagInfo {
  const start = afterModEx(payload, byte0 & 0x0f);
  if (start === undefined) return OPAQUE_ENHANCED_AUDIO;
  const { packetType, offset } = start;
  if (packetType === AUDIO_MULTITRACK) {
    const multitrack = readTracks(payload, offset, AUDIO_FOURCC);
    if (multitrack === undefined || multitrack.packetType === AUDIO_MULTITRACK) return OPAQUE_ENHANCED_AUDIO;
    const { codec, trackIds } = multitrack;
    return describe("audio", codec, audioPurpose(multitrack.packetType), true, trackIds, true);
  }
  if (offset + 4 > payload.byteLength) return OPAQUE_ENHANCED_AUDIO;
  const codec = AUDIO_FOURCC.get(u32(payload, offset)) ?? "Other";
  return ENHANCED_AUDIO.get(codec)?.[packetType] ?? OPAQUE_ENHANCED_AUDIO;
}

/**
 * The bytes behind the header: a configuration record in a sequence header. Of several tracks, those of the lowest;
 * empty when the header does not fit its payload.
 */
export function mediaTagBody(info: MediaTagInfo, payload: Uint8Array): Uint8Array {
  const byte0 = payload[0];
  if (byte0 === undefined) return payload;
  if (!info.isEnhanced) {
    if (info.media === "audio") return payload.subarray(info.codec === "AAC" ? 2 : 1);
    return payload.subarray(hasPacketType(byte0 & 0x0f) ? 5 : 1);
  }
  const none = payload.subarray(payload.byteLength);
  const start = afterModEx(payload, byte0 & 0x0f);
  if (start === undefined) return none;
  if (!info.isMultitrack) return payload.subarray(start.offset + 4);
  const names = info.media === "audio" ? AUDIO_FOURCC : VIDEO_FOURCC;
  return readTracks(payload, start.offset, names)?.body ?? none;
}

/** A coded video frame of the lowest track, and how much later than decoded it is shown, in milliseconds. */
export interface VideoFrame {
  readonly data: Uint8Array;
  readonly compositionMs: number;
}

/** The codecs whose messages may say when a frame is shown. */
const REORDERED: ReadonlySet<string> = new Set(["H264", "HEVC", "VVC"]);

/** What a decoder is given of a message that is a video frame. */
export function readVideoFrame(info: MediaTagInfo, payload: Uint8Array): VideoFrame {
  const body = mediaTagBody(info, payload);
  const byte0 = payload[0] ?? 0;
  if (!info.isEnhanced) {
    const hasTime = hasPacketType(byte0 & 0x0f) && payload.byteLength >= 5;
    return { data: body, compositionMs: hasTime ? s24(payload, 2) : 0 };
  }
  const start = afterModEx(payload, byte0 & 0x0f);
  const packetType = info.isMultitrack && start !== undefined
    ? readTracks(payload, start.offset, VIDEO_FOURCC)?.packetType
    : start?.packetType;
  // Packet type 1 has the time, 3 says that there is none.
  if (packetType !== 1 || !REORDERED.has(info.codec) || body.byteLength < 3) {
    return { data: body, compositionMs: 0 };
  }
  return { data: body.subarray(3), compositionMs: s24(body, 0) };
}

function s24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16 | (bytes[at + 2] as number) << 8) >>
    8;
}

/** Steps over the ModEx parts; `undefined` when the payload ends in one. */
function afterModEx(
  payload: Uint8Array,
  firstPacketType: number,
): { packetType: number; offset: number } | undefined {
  let packetType = firstPacketType;
  let offset = 1;
  while (packetType === MOD_EX) {
    const short = payload[offset++];
    if (short === undefined) return undefined;
    let size = short + 1;
    if (size === 256) {
      if (offset + 2 > payload.byteLength) return undefined;
      size = u16(payload, offset) + 1;
      offset += 2;
    }
    const next = payload[offset + size];
    if (next === undefined) return undefined;
    packetType = next & 0x0f;
    offset += size + 1;
  }
  return { packetType, offset };
}

interface Multitrack {
  readonly packetType: number;
  readonly trackIds: readonly number[];
  /** Of the lowest track, like the body. */
  readonly codec: string;
  readonly body: Uint8Array;
}

const ONE_TRACK = 0;
const MANY_TRACKS_MANY_CODECS = 2;

/** The tracks from the multitrack byte at `start` on; `undefined` when their sizes do not fit the payload. */
function readTracks(
  payload: Uint8Array,
  start: number,
  names: ReadonlyMap<number, string>,
): Multitrack | undefined {
  const end = payload.byteLength;
  const head = payload[start];
  if (head === undefined) return undefined;
  const type = head >> 4;
  if (type > MANY_TRACKS_MANY_CODECS) return undefined;
  let offset = start + 1;
  let codec = "Other";
  if (type !== MANY_TRACKS_MANY_CODECS) {
    if (offset + 4 > end) return undefined;
    codec = names.get(u32(payload, offset)) ?? "Other";
    offset += 4;
  }
  const trackIds = new Set<number>();
  let lowest: { trackId: number; codec: string; body: Uint8Array } | undefined;
  do {
    if (type === MANY_TRACKS_MANY_CODECS) {
      if (offset + 4 > end) return undefined;
      codec = names.get(u32(payload, offset)) ?? "Other";
      offset += 4;
    }
    const trackId = payload[offset++];
    if (trackId === undefined) return undefined;
    let size = end - offset;
    if (type !== ONE_TRACK) {
      if (offset + 3 > end) return undefined;
      size = (u16(payload, offset) << 8) | (payload[offset + 2] ?? 0);
      offset += 3;
      if (offset + size > end) return undefined;
    }
    if (lowest === undefined || trackId < lowest.trackId) {
      lowest = { trackId, codec, body: payload.subarray(offset, offset + size) };
    }
    trackIds.add(trackId);
    offset += size;
  } while (offset < end);
  return {
    packetType: head & 0x0f,
    trackIds: Object.freeze([...trackIds].sort((a, b) => a - b)),
    codec: lowest.codec,
    body: lowest.body,
  };
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) * 65_536) + u16(bytes, at + 2);
}
