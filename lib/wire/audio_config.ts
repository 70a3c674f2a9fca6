/**
 * Sample rate, channels and profile out of the configuration of AAC, Opus and FLAC, and the frame header of MP3.
 *
 * @module
 */
import { BitReader } from "./bit_reader.ts";

/** What a configuration says; what it does not say is `undefined`. */
export interface AudioConfig {
  /** Hz. */
  sampleRate: number | undefined;
  channels: number | undefined;
  profile: string | undefined;
}

const AAC_RATES = [
  96_000,
  88_200,
  64_000,
  48_000,
  44_100,
  32_000,
  24_000,
  22_050,
  16_000,
  12_000,
  11_025,
  8000,
  7350,
];
/** By channel configuration; 0 is described elsewhere. */
const AAC_CHANNELS = [undefined, 1, 2, 3, 4, 5, 6, 8, undefined, undefined, undefined, 7, 8, 24, 8];
const AAC_PROFILES: Readonly<Record<number, string>> = { 1: "Main", 2: "LC", 3: "SSR", 5: "HE", 29: "HEv2" };
const SPECTRAL_BAND_REPLICATION = 5;
const PARAMETRIC_STEREO = 29;
const EXPLICIT_RATE = 15;

/**
 * Fills in `config` from an AudioSpecificConfig, as far as it goes. HE-AAC is given as it plays: at the doubled
 * rate, and with parametric stereo in two channels.
 *
 * @throws {BitsEnded} When it is cut.
 * @see ISO/IEC 14496-3, 1.6.2.1
 */
export function readAacConfig(bytes: Uint8Array, config: AudioConfig): void {
  const reader = new BitReader(bytes);
  const objectType = aacObjectType(reader);
  let sampleRate = aacRate(reader);
  let channels = AAC_CHANNELS[reader.bits(4)];
  let profile = objectType;
  if (objectType === SPECTRAL_BAND_REPLICATION || objectType === PARAMETRIC_STEREO) {
    sampleRate = aacRate(reader);
  } else {
    const extension = readAacExtension(reader, objectType);
    profile = extension.profile;
    sampleRate = extension.sampleRate ?? sampleRate;
  }
  if (profile === PARAMETRIC_STEREO && channels === 1) channels = 2;
  config.profile = AAC_PROFILES[profile] ?? "Other";
  config.sampleRate = sampleRate;
  config.channels = channels;
}

/** Backward compatible signalling: HE-AAC that calls itself LC, and says so behind what old decoders read. */
function readAacExtension(
  reader: BitReader,
  objectType: number,
): { profile: number; sampleRate: number | undefined } {
  const plain = { profile: objectType, sampleRate: undefined };
  if (objectType !== 2 || reader.remaining < 3 + 16) return plain;
  reader.skip(1);
  if (reader.flag()) reader.skip(14);
  reader.skip(1);
  if (reader.remaining < 17 || reader.bits(11) !== 0x2b7) return plain;
  if (aacObjectType(reader) !== SPECTRAL_BAND_REPLICATION || !reader.flag()) return plain;
  const sampleRate = aacRate(reader);
  const hasParametricStereo = reader.remaining >= 12 && reader.bits(11) === 0x548 && reader.flag();
  return { profile: hasParametricStereo ? PARAMETRIC_STEREO : SPECTRAL_BAND_REPLICATION, sampleRate };
}

function aacObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === 31 ? 32 + reader.bits(6) : type;
}

function aacRate(reader: BitReader): number | undefined {
  const index = reader.bits(4);
  return index === EXPLICIT_RATE ? reader.bits(24) : AAC_RATES[index];
}

/**
 * Fills in `config` from an Opus identification header. Opus always plays at 48 kHz; the rate in the header is
 * only what the encoder was given.
 *
 * @throws {BitsEnded} When it is cut.
 * @see RFC 7845, 5.1
 */
export function readOpusConfig(bytes: Uint8Array, config: AudioConfig): void {
  if (!startsWith(bytes, "OpusHead")) return;
  const reader = new BitReader(bytes.subarray(8));
  reader.skip(8);
  config.channels = reader.bits(8);
  config.sampleRate = 48_000;
}

/**
 * Fills in `config` from STREAMINFO behind `fLaC`.
 *
 * @throws {BitsEnded} When it is cut.
 * @see RFC 9639, 8.2
 */
export function readFlacConfig(bytes: Uint8Array, config: AudioConfig): void {
  if (!startsWith(bytes, "fLaC")) return;
  const reader = new BitReader(bytes.subarray(4));
  reader.skip(1);
  if (reader.bits(7) !== 0) return;
  reader.skip(24 + 80);
  config.sampleRate = reader.bits(20);
  config.channels = reader.bits(3) + 1;
}

/**
 * Fills in `config` from the header of an MPEG audio frame.
 *
 * @throws {BitsEnded} When it is cut.
 * @see ISO/IEC 11172-3, 2.4.1.3
 */
export function readMp3Config(bytes: Uint8Array, config: AudioConfig): void {
  const reader = new BitReader(bytes);
  if (reader.bits(11) !== 0x7ff) return;
  const version = reader.bits(2);
  const layer = reader.bits(2);
  reader.skip(1 + 4);
  const rate = [44_100, 48_000, 32_000][reader.bits(2)];
  reader.skip(2);
  const isMono = reader.bits(2) === 3;
  if (version === 1 || layer === 0 || rate === undefined) return;
  // 3: MPEG-1; 2: MPEG-2, at half the rate; 0: MPEG-2.5, at a quarter.
  config.sampleRate = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  config.channels = isMono ? 1 : 2;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
