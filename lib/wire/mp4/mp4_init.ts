/**
 * The beginning of a fragmented MP4 file: which tracks there are, and how their decoders are set up.
 *
 * @module
 * @see ISO/IEC 14496-12, 14496-15 (H.264, HEVC), AV1 and Opus in ISO base media files
 */
import { joinBytes } from "../../base/join_bytes.ts";
import { type AudioCodecInfo, readAudioCodec, readVideoCodec } from "../codec_config.ts";
import { mediaTagBody, type MediaTagInfo } from "../media_tag.ts";
import { box, fullBox, text, u16, u32, u8 } from "./boxes.ts";

/** RTMP's times are milliseconds, so that video's are exact in them. */
const VIDEO_TIMESCALE = 1000;
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000);
const AAC_OBJECT = 0x40;
const MP3_OBJECT = 0x6b;
const OPUS_RATE = 48_000;

/** One track of a file. */
export interface Mp4Track {
  readonly media: "audio" | "video";
  readonly codec: string;
  /** Units of time a second. */
  readonly timescale: number;
  /** Of audio: how long a packet is, in these units; 0: each says it itself. */
  readonly packetDuration: number;
  readonly width: number;
  readonly height: number;
  /** How its decoder is set up, a box. */
  readonly sampleEntry: Uint8Array;
}

/**
 * A track by what sets up its decoder: a sequence header, or of MP3 any frame.
 *
 * @returns Undefined for a codec that is not written into MP4.
 */
export function mp4Track(info: MediaTagInfo, payload: Uint8Array): Mp4Track | undefined {
  return info.media === "video" ? videoTrack(info, payload) : audioTrack(info, payload);
}

function videoTrack(info: MediaTagInfo, payload: Uint8Array): Mp4Track | undefined {
  const names = { "H264": ["avc1", "avcC"], "HEVC": ["hvc1", "hvcC"], "AV1": ["av01", "av1C"] } as const;
  const [entry, configuration] = names[info.codec as keyof typeof names] ?? [];
  if (entry === undefined || configuration === undefined || !info.isSequenceHeader) return undefined;
  const { width = 0, height = 0 } = readVideoCodec(payload);
  const sampleEntry = box(
    entry,
    new Uint8Array(6),
    u16(1),
    new Uint8Array(16),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    new Uint8Array(32),
    u16(0x18, 0xffff),
    box(configuration, mediaTagBody(info, payload)),
  );
  return {
    media: "video",
    codec: info.codec,
    timescale: VIDEO_TIMESCALE,
    packetDuration: 0,
    width,
    height,
    sampleEntry,
  };
}

function audioTrack(info: MediaTagInfo, payload: Uint8Array): Mp4Track | undefined {
  const read = readAudioCodec(payload);
  const { sampleRate = 0, channels = 2 } = read;
  const body = mediaTagBody(info, payload);
  const track = (
    entry: string,
    timescale: number,
    packetDuration: number,
    configuration: Uint8Array,
  ): Mp4Track => ({
    media: "audio",
    codec: info.codec,
    timescale,
    packetDuration,
    width: 0,
    height: 0,
    sampleEntry: box(
      entry,
      new Uint8Array(6),
      u16(1),
      new Uint8Array(8),
      u16(channels, 16, 0, 0),
      // 16.16; a rate that is too high for it stands in the configuration alone.
      u16(timescale > 0xffff ? 0 : timescale, 0),
      configuration,
    ),
  });
  if (info.codec === "AAC" && info.isSequenceHeader && sampleRate > 0) {
    return track("mp4a", sampleRate, aacPacket(read), elementaryStream(AAC_OBJECT, body));
  }
  if (info.codec === "MP3" && info.isFrame && sampleRate > 0) {
    const isHalf = sampleRate < 32_000;
    return track("mp4a", sampleRate, isHalf ? 576 : 1152, elementaryStream(MP3_OBJECT, new Uint8Array(0)));
  }
  if (info.codec === "Opus" && info.isSequenceHeader && body.length >= 19) {
    return track("Opus", OPUS_RATE, 0, opusConfiguration(body));
  }
  return undefined;
}

/** HE-AAC, whose rate is given as it plays, has packets of twice as many samples. */
function aacPacket({ profile }: AudioCodecInfo): number {
  return profile === "HE" || profile === "HEv2" ? 2048 : 1024;
}

/** An `esds`: descriptors in each other, each a tag, a size and what it holds. */
function elementaryStream(objectType: number, configuration: Uint8Array): Uint8Array {
  const descriptor = (tag: number, ...parts: readonly Uint8Array[]) => {
    const body = joinBytes(parts);
    return joinBytes([
      u8(
        tag,
        0x80 | body.length >> 21 & 0x7f,
        0x80 | body.length >> 14 & 0x7f,
        0x80 | body.length >> 7 & 0x7f,
      ),
      u8(body.length & 0x7f),
      body,
    ]);
  };
  const setup = configuration.length === 0 ? [] : [descriptor(5, configuration)];
  const decoder = descriptor(4, u8(objectType, 0x15, 0, 0, 0), u32(0, 0), ...setup);
  return fullBox("esds", 0, 0, descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2))));
}

/** An `OpusHead` in big-endian numbers and without its name. */
function opusConfiguration(head: Uint8Array): Uint8Array {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return box(
    "dOps",
    u8(0, head[9] as number),
    u16(view.getUint16(10, true)),
    u32(view.getUint32(12, true)),
    u16(view.getUint16(16, true)),
    head.subarray(18),
  );
}

/** `ftyp` and `moov` of a file with these tracks, whose ids are 1, 2 and so on. */
export function mp4Init(tracks: readonly Mp4Track[]): Uint8Array {
  const brands = box("ftyp", text("iso6"), u32(0x200), text("iso6cmfcmp41"));
  const header = fullBox(
    "mvhd",
    0,
    0,
    u32(0, 0, 1000, 0, 0x10000),
    u16(0x100, 0),
    u32(0, 0),
    MATRIX,
    new Uint8Array(24),
    u32(tracks.length + 1),
  );
  const defaults = tracks.map((_, index) => fullBox("trex", 0, 0, u32(index + 1, 1, 0, 0, 0)));
  return joinBytes([brands, box("moov", header, ...tracks.map(trackBox), box("mvex", ...defaults))]);
}

function trackBox(track: Mp4Track, index: number): Uint8Array {
  const { media, timescale, width, height, sampleEntry } = track;
  const isVideo = media === "video";
  const trackHeader = fullBox(
    "tkhd",
    0,
    3,
    u32(0, 0, index + 1, 0, 0, 0, 0),
    u16(0, 0, isVideo ? 0 : 0x100, 0),
    MATRIX,
    u32(width << 16, height << 16),
  );
  const dataReference = box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1)));
  const noSamples = [
    fullBox("stsd", 0, 0, u32(1), sampleEntry),
    fullBox("stts", 0, 0, u32(0)),
    fullBox("stsc", 0, 0, u32(0)),
    fullBox("stsz", 0, 0, u32(0, 0)),
    fullBox("stco", 0, 0, u32(0)),
  ];
  const handler = fullBox("hdlr", 0, 0, u32(0), text(isVideo ? "vide" : "soun"), u32(0, 0, 0), u8(0));
  const mediaHeader = fullBox("mdhd", 0, 0, u32(0, 0, timescale, 0), u16(0x55c4, 0));
  const kind = isVideo ? fullBox("vmhd", 0, 1, u16(0, 0, 0, 0)) : fullBox("smhd", 0, 0, u16(0, 0));
  return box(
    "trak",
    trackHeader,
    box("mdia", mediaHeader, handler, box("minf", kind, dataReference, box("stbl", ...noSamples))),
  );
}
