/**
 * Picture size out of the key frames of VP8 and VP9: their configuration records do not say it.
 *
 * @module
 */
import { BitReader } from "./bit_reader.ts";
import type { VideoConfig } from "./video_config.ts";

const VP9_SYNC_CODE = 0x498342;
const VP9_RGB = 7;
/** Where the start code of a VP8 key frame is, and what it is; its size follows in two little-endian numbers of 14 bits. */
const VP8_START = [0x9d, 0x01, 0x2a] as const;
const VP8_START_OFFSET = 3;

/**
 * Fills in `config` from the uncompressed header of a VP9 key frame; any other frame says nothing.
 *
 * @throws {BitsEnded} When it is cut.
 * @see VP9 Bitstream & Decoding Process Specification, 6.2
 */
export function readVp9Frame(frame: Uint8Array, config: VideoConfig): void {
  const reader = new BitReader(frame);
  if (reader.bits(2) !== 2) return;
  const profile = reader.bits(1) + 2 * reader.bits(1);
  if (profile === 3) reader.skip(1);
  const [showsOther, isInter] = [reader.flag(), reader.flag()];
  if (showsOther || isInter) return;
  reader.skip(2);
  if (reader.bits(24) !== VP9_SYNC_CODE) return;
  skipVp9Color(reader, profile);
  config.width = reader.bits(16) + 1;
  config.height = reader.bits(16) + 1;
}

function skipVp9Color(reader: BitReader, profile: number): void {
  const hasSubsampling = profile === 1 || profile === 3;
  if (profile >= 2) reader.skip(1);
  if (reader.bits(3) === VP9_RGB) reader.skip(hasSubsampling ? 1 : 0);
  else reader.skip(hasSubsampling ? 4 : 1);
}

/**
 * Fills in `config` from a VP8 key frame; any other frame says nothing.
 *
 * @see RFC 6386, 9.1
 */
export function readVp8Frame(frame: Uint8Array, config: VideoConfig): void {
  const isKeyframe = ((frame[0] ?? 1) & 1) === 0;
  if (!isKeyframe || VP8_START.some((byte, index) => frame[VP8_START_OFFSET + index] !== byte)) return;
  const [widthLow, widthHigh, heightLow, heightHigh] = frame.subarray(VP8_START_OFFSET + VP8_START.length);
  if (widthLow === undefined || widthHigh === undefined || heightLow === undefined) return;
  if (heightHigh === undefined) return;
  config.width = widthLow | (widthHigh & 0x3f) << 8;
  config.height = heightLow | (heightHigh & 0x3f) << 8;
}
