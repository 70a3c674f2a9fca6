/**
 * What the HTTP API says of a stream's codecs. Read once a sequence header, never for each frame.
 *
 * @module
 */
import {
  type AudioConfig,
  readAacConfig,
  readFlacConfig,
  readMp3Config,
  readOpusConfig,
} from "./audio_config.ts";
import { BitsEnded } from "./bit_reader.ts";
import { mediaTagBody, type MediaTagInfo, readAudioTag, readVideoTag } from "./media_tag.ts";
import {
  readAv1Config,
  readAvcConfig,
  readHevcConfig,
  readVp9Config,
  type VideoConfig,
} from "./video_config.ts";
import { readVp8Frame, readVp9Frame } from "./vp_frame.ts";

/** A video codec in SRS's words. */
export interface VideoCodecInfo {
  /** As in `MediaTagInfo`. */
  readonly codec: string;
  /** `Baseline`, `Main`, `High`…, or `Other`. */
  readonly profile: string | undefined;
  /** Such as `3.1` or `4`. */
  readonly level: string | undefined;
  /** Pixels; 0 where the codec's configuration does not say it. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** An audio codec in SRS's words. */
export interface AudioCodecInfo {
  /** As in `MediaTagInfo`. */
  readonly codec: string;
  /** Hz. */
  readonly sampleRate: number | undefined;
  readonly channels: number | undefined;
  /** Of AAC: `LC`, `HE`, `HEv2`…, or `Other`. */
  readonly profile: string | undefined;
}

/**
 * Reads a video message: a sequence header, or a key frame of VP8 or VP9, which alone has their size. Of anything else only the codec
 * is known. Never throws.
 */
export function readVideoCodec(payload: Uint8Array): VideoCodecInfo {
  const info = readVideoTag(payload);
  const config: VideoConfig = { profile: undefined, level: undefined, width: undefined, height: undefined };
  if (info.isSequenceHeader) {
    asFarAsItGoes(() => readVideoConfig(info, mediaTagBody(info, payload), config));
  } else if (info.isKeyframe) {
    asFarAsItGoes(() => readKeyframe(info, mediaTagBody(info, payload), config));
  }
  return { codec: info.codec, ...config };
}

function readVideoConfig(info: MediaTagInfo, record: Uint8Array, config: VideoConfig): void {
  switch (info.codec) {
    case "H264":
      return readAvcConfig(record, config);
    case "HEVC":
      return readHevcConfig(record, config);
    case "AV1":
      return readAv1Config(record, config);
    case "VP9":
      return readVp9Config(record, config);
  }
}

function readKeyframe(info: MediaTagInfo, frame: Uint8Array, config: VideoConfig): void {
  if (info.codec === "VP8") readVp8Frame(frame, config);
  else if (info.codec === "VP9") readVp9Frame(frame, config);
}

/**
 * Reads an audio message: a sequence header where the codec has one, or any frame where the header of each frame
 * says it. Never throws.
 */
export function readAudioCodec(payload: Uint8Array): AudioCodecInfo {
  const info = readAudioTag(payload);
  const config: AudioConfig = { sampleRate: undefined, channels: undefined, profile: undefined };
  const flags = payload[0];
  // The flags of AAC are the same whatever its real rate is.
  if (!info.isEnhanced && info.codec !== "AAC" && flags !== undefined) readSoundFlags(flags, config);
  asFarAsItGoes(() => readAudioConfig(info, mediaTagBody(info, payload), config));
  return { codec: info.codec, ...config };
}

function readAudioConfig(info: MediaTagInfo, body: Uint8Array, config: AudioConfig): void {
  if (info.codec === "MP3" && info.isFrame) return readMp3Config(body, config);
  if (!info.isSequenceHeader) return;
  switch (info.codec) {
    case "AAC":
      return readAacConfig(body, config);
    case "Opus":
      return readOpusConfig(body, config);
    case "FLAC":
      return readFlacConfig(body, config);
  }
}

/** Rate and channels of the codecs of old; some formats have a rate that the flags cannot say. */
function readSoundFlags(flags: number, config: AudioConfig): void {
  const format = flags >> 4;
  config.sampleRate = FORMAT_RATES[format] ?? [5512, 11_025, 22_050, 44_100][(flags >> 2) & 3];
  config.channels = (flags & 1) + 1;
}

/** Nellymoser at 16 and at 8 kHz, A-law, mu-law, Speex, Opus, MP3 at 8 kHz. */
const FORMAT_RATES: Readonly<Record<number, number>> = {
  4: 16_000,
  5: 8000,
  7: 8000,
  8: 8000,
  11: 16_000,
  13: 48_000,
  14: 8000,
};

/** A record that is cut has still said something. */
function asFarAsItGoes(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof BitsEnded)) throw error;
  }
}
