/**
 * Picture size, profile and level out of the configuration records of H.264, H.265, AV1 and VP9.
 *
 * @module
 */
import { BitReader } from "./bit_reader.ts";

/** What a configuration record says; what it does not say is `undefined`. */
export interface VideoConfig {
  profile: string | undefined;
  level: string | undefined;
  /** Pixels shown, after cropping. */
  width: number | undefined;
  height: number | undefined;
}

// SRS's names, which its API shows.
const AVC_PROFILES: Readonly<Record<number, string>> = {
  44: "High(444)",
  66: "Baseline",
  77: "Main",
  88: "Extended",
  100: "High",
  110: "High(10)",
  122: "High(422)",
  144: "High(444)",
  244: "High(444+Predictive)",
};
const HEVC_PROFILES: Readonly<Record<number, string>> = {
  1: "Main",
  2: "Main10",
  3: "Main Still Picture",
  4: "Rext",
};
const AV1_PROFILES = ["Main", "High", "Professional"];

/** Profiles whose SPS says how colour is sampled. */
const AVC_CHROMA_PROFILES: ReadonlySet<number> = new Set([
  44,
  83,
  86,
  100,
  110,
  118,
  122,
  128,
  134,
  135,
  138,
  139,
  144,
  244,
]);

const HEVC_SPS = 33;
const AV1_SEQUENCE_HEADER = 1;

/**
 * Fills in `config` from an AVCDecoderConfigurationRecord, as far as it goes.
 *
 * @throws {BitsEnded} When it is cut.
 * @see ISO/IEC 14496-15, 5.3.3; ITU-T H.264, 7.3.2.1.1
 */
export function readAvcConfig(record: Uint8Array, config: VideoConfig): void {
  const reader = new BitReader(record);
  if (reader.bits(8) !== 1) return;
  config.profile = AVC_PROFILES[reader.bits(8)] ?? "Other";
  reader.skip(8);
  config.level = levelText(reader.bits(8), 10);
  reader.skip(11);
  if (reader.bits(5) === 0) return;
  const size = reader.bits(16);
  readAvcSps(new BitReader(withoutEmulationPrevention(record.subarray(8, 8 + size))), config);
}

function readAvcSps(reader: BitReader, config: VideoConfig): void {
  reader.skip(8);
  const profile = reader.bits(8);
  reader.skip(16);
  reader.unsignedExpGolomb();
  let chromaFormat = 1;
  let isPlanar = false;
  if (AVC_CHROMA_PROFILES.has(profile)) {
    chromaFormat = reader.unsignedExpGolomb();
    if (chromaFormat === 3) isPlanar = reader.flag();
    reader.unsignedExpGolomb();
    reader.unsignedExpGolomb();
    reader.skip(1);
    if (reader.flag()) {
      for (let i = 0; i < (chromaFormat === 3 ? 12 : 8); i++) {
        if (reader.flag()) skipScalingList(reader, i < 6 ? 16 : 64);
      }
    }
  }
  reader.unsignedExpGolomb();
  const orderType = reader.unsignedExpGolomb();
  if (orderType === 0) {
    reader.unsignedExpGolomb();
  } else if (orderType === 1) {
    reader.skip(1);
    reader.signedExpGolomb();
    reader.signedExpGolomb();
    const cycle = reader.unsignedExpGolomb();
    for (let i = 0; i < cycle; i++) reader.signedExpGolomb();
  }
  reader.unsignedExpGolomb();
  reader.skip(1);
  const macroblocksWide = reader.unsignedExpGolomb() + 1;
  const mapUnitsHigh = reader.unsignedExpGolomb() + 1;
  const fieldFactor = reader.flag() ? 1 : 2;
  if (fieldFactor === 2) reader.skip(1);
  reader.skip(1);
  const isSubsampled = !isPlanar && chromaFormat !== 0;
  const unitWide = isSubsampled && chromaFormat !== 3 ? 2 : 1;
  const unitHigh = (isSubsampled && chromaFormat === 1 ? 2 : 1) * fieldFactor;
  setCropped(reader, config, macroblocksWide * 16, mapUnitsHigh * 16 * fieldFactor, unitWide, unitHigh);
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size; i++) {
    const next = (last + reader.signedExpGolomb() + 256) % 256;
    // From here on the list repeats its last value, and no more is sent.
    if (next === 0) return;
    last = next;
  }
}

/**
 * Fills in `config` from an HEVCDecoderConfigurationRecord, as far as it goes.
 *
 * @throws {BitsEnded} When it is cut.
 * @see ISO/IEC 14496-15, 8.3.3; ITU-T H.265, 7.3.2.2
 */
export function readHevcConfig(record: Uint8Array, config: VideoConfig): void {
  const reader = new BitReader(record);
  reader.skip(8 + 3);
  config.profile = HEVC_PROFILES[reader.bits(5)] ?? "Other";
  reader.skip(80);
  config.level = levelText(reader.bits(8), 30);
  reader.skip(9 * 8);
  let offset = 23;
  for (let arrays = reader.bits(8); arrays > 0; arrays--) {
    const type = reader.bits(8) & 0x3f;
    offset += 3;
    for (let units = reader.bits(16); units > 0; units--) {
      const size = reader.bits(16);
      offset += 2;
      if (type === HEVC_SPS) {
        readHevcSps(
          new BitReader(withoutEmulationPrevention(record.subarray(offset, offset + size))),
          config,
        );
        return;
      }
      reader.skip(size * 8);
      offset += size;
    }
  }
}

function readHevcSps(reader: BitReader, config: VideoConfig): void {
  reader.skip(16 + 4);
  const subLayers = reader.bits(3);
  reader.skip(1 + 96);
  let subLayerBits = 0;
  for (let i = 0; i < subLayers; i++) {
    if (reader.flag()) subLayerBits += 88;
    if (reader.flag()) subLayerBits += 8;
  }
  if (subLayers > 0) subLayerBits += (8 - subLayers) * 2;
  reader.skip(subLayerBits);
  reader.unsignedExpGolomb();
  const chromaFormat = reader.unsignedExpGolomb();
  if (chromaFormat === 3) reader.skip(1);
  const width = reader.unsignedExpGolomb();
  const height = reader.unsignedExpGolomb();
  const unitWide = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  setCropped(reader, config, width, height, unitWide, chromaFormat === 1 ? 2 : 1);
}

/** Reads the crop (conformance) window, which both codecs write alike, and sets what is left of the picture. */
function setCropped(
  reader: BitReader,
  config: VideoConfig,
  codedWidth: number,
  codedHeight: number,
  unitWide: number,
  unitHigh: number,
): void {
  let width = codedWidth;
  let height = codedHeight;
  if (reader.flag()) {
    width -= unitWide * (reader.unsignedExpGolomb() + reader.unsignedExpGolomb());
    height -= unitHigh * (reader.unsignedExpGolomb() + reader.unsignedExpGolomb());
  }
  setSize(config, width, height);
}

/** No codec here has pictures that 16 bits cannot count. */
function setSize(config: VideoConfig, width: number, height: number): void {
  if (width < 1 || width > 65_536 || height < 1 || height > 65_536) return;
  config.width = width;
  config.height = height;
}

/**
 * Fills in `config` from an AV1CodecConfigurationRecord, as far as it goes.
 *
 * @throws {BitsEnded} When it is cut.
 * @see AV1 Codec ISO Media File Format Binding, 2.3.3; AV1 Bitstream, 5.5
 */
export function readAv1Config(record: Uint8Array, config: VideoConfig): void {
  const reader = new BitReader(record);
  if (reader.bits(8) !== 0x81) return;
  config.profile = AV1_PROFILES[reader.bits(3)] ?? "Other";
  const level = reader.bits(5);
  config.level = level === 31 ? "Other" : levelText((2 + (level >> 2)) * 10 + (level & 3), 10);
  reader.skip(16);
  while (reader.remaining > 0) {
    reader.skip(1);
    const type = reader.bits(4);
    const hasExtension = reader.flag();
    const hasSize = reader.flag();
    reader.skip(hasExtension ? 9 : 1);
    const size = hasSize ? leb128(reader) : reader.remaining >> 3;
    if (type === AV1_SEQUENCE_HEADER) {
      readAv1SequenceHeader(reader, config);
      return;
    }
    reader.skip(size * 8);
  }
}

function leb128(reader: BitReader): number {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const hasMore = reader.flag();
    value += reader.bits(7) * 128 ** i;
    if (!hasMore) break;
  }
  return value;
}

function readAv1SequenceHeader(reader: BitReader, config: VideoConfig): void {
  reader.skip(3 + 1);
  if (reader.flag()) {
    reader.skip(5);
  } else {
    skipAv1OperatingPoints(reader);
  }
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  setSize(config, width, reader.bits(heightBits) + 1);
}

function skipAv1OperatingPoints(reader: BitReader): void {
  let delayBits = 0;
  if (reader.flag()) {
    reader.skip(64);
    // The ticks of a picture are coded as Exp-Golomb numbers are.
    if (reader.flag()) reader.unsignedExpGolomb();
    if (reader.flag()) {
      delayBits = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const hasDisplayDelay = reader.flag();
  for (let points = reader.bits(5) + 1; points > 0; points--) {
    reader.skip(12);
    if (reader.bits(5) > 7) reader.skip(1);
    if (delayBits > 0 && reader.flag()) reader.skip(2 * delayBits + 1);
    if (hasDisplayDelay && reader.flag()) reader.skip(4);
  }
}

/**
 * Fills in `config` from a VPCodecConfigurationRecord, with or without the version and flags that MP4 puts before
 * it. It says nothing of the size, which is then 0.
 *
 * @throws {BitsEnded} When it is cut.
 * @see VP Codec ISO Media File Format Binding
 */
export function readVp9Config(record: Uint8Array, config: VideoConfig): void {
  const reader = new BitReader(record);
  // Without the prefix the third byte begins with the bit depth, which is never 0.
  if (record.byteLength >= 12 && record[0] === 1 && record[2] === 0) reader.skip(32);
  config.profile = `Profile ${reader.bits(8)}`;
  config.level = levelText(reader.bits(8), 10);
  config.width = 0;
  config.height = 0;
}

/** `31` in tenths is `3.1`, and `40` is `4`. */
function levelText(level: number, unit: number): string {
  return level === 0 ? "Other" : String(Math.round(level * 10 / unit) / 10);
}

/** Takes out the 3 of each 0 0 3, which is only there so that no start code appears. */
function withoutEmulationPrevention(unit: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(unit.byteLength);
  let length = 0;
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
