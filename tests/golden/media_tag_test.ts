import assert from "node:assert/strict";
import { type MediaTagInfo, readAudioTag, readVideoTag } from "../../lib/wire/media_tag.ts";
import { hex } from "./hex.ts";

interface Case {
  readonly name: string;
  readonly bytes: string;
  /** What is not as in an inter frame on the only track. */
  readonly info: Partial<MediaTagInfo>;
}

const VIDEO: Case[] = [
  { name: "AVC key frame", bytes: "17 01 000000 65", info: { codec: "H264", isKeyframe: true } },
  { name: "AVC inter frame", bytes: "27 01 000000 41", info: { codec: "H264" } },
  { name: "AVC disposable frame", bytes: "37 01 000000 01", info: { codec: "H264" } },
  {
    name: "AVC sequence header",
    bytes: "17 00 000000 01",
    info: { codec: "H264", ...header("video", "config") },
  },
  {
    name: "AVC end of sequence",
    bytes: "17 02 000000",
    info: { codec: "H264", isFrame: false, isSequenceEnd: true },
  },
  { name: "AVC seek command", bytes: "57 00", info: { codec: "H264", isFrame: false } },
  { name: "AVC packet type that is not known", bytes: "17 07 00", info: { codec: "H264" } },
  { name: "AVC frame that is one byte long", bytes: "17", info: { codec: "Other" } },
  { name: "nothing", bytes: "", info: { codec: "Other" } },
  { name: "H.263 key frame", bytes: "12 00", info: { codec: "H.263", isKeyframe: true } },
  { name: "VP6 inter frame", bytes: "24 02", info: { codec: "VP6" } },
  { name: "codec that is not known", bytes: "1f 00", info: { codec: "Other", isKeyframe: true } },
  { name: "old HEVC key frame", bytes: "1c 01 000000", info: { codec: "HEVC", isKeyframe: true } },
  {
    name: "old HEVC header",
    bytes: "1c 00 000000 01",
    info: { codec: "HEVC", ...header("video", "config") },
  },
  { name: "old AV1 header", bytes: "1d 00 000000 81", info: { codec: "AV1", ...header("video", "config") } },
  { name: "HEVC header", bytes: "90 'hvc1' 01", info: ex("HEVC", header("video", "config")) },
  { name: "HEVC key frame", bytes: "91 'hvc1' 000000", info: ex("HEVC", { isKeyframe: true }) },
  { name: "HEVC key frame without offset", bytes: "93 'hvc1' 00", info: ex("HEVC", { isKeyframe: true }) },
  { name: "HEVC inter frame", bytes: "a3 'hvc1' 00", info: ex("HEVC") },
  { name: "HEVC end", bytes: "92 'hvc1'", info: ex("HEVC", { isFrame: false, isSequenceEnd: true }) },
  { name: "HDR metadata", bytes: "94 'hvc1' 02", info: ex("HEVC", header("video", "metadata")) },
  {
    name: "HDR metadata in a command frame",
    bytes: "d4 'av01' 02",
    info: ex("AV1", header("video", "metadata")),
  },
  { name: "AV1 header for MPEG-2 TS", bytes: "95 'av01' 80", info: ex("AV1", header("video", "config")) },
  { name: "enhanced AVC", bytes: "91 'avc1' 00", info: ex("H264", { isKeyframe: true }) },
  { name: "VVC", bytes: "a1 'vvc1' 00", info: ex("VVC") },
  { name: "VP8", bytes: "91 'vp08' 00", info: ex("VP8", { isKeyframe: true }) },
  { name: "VP9", bytes: "a1 'vp09' 00", info: ex("VP9") },
  { name: "FourCC that is not known", bytes: "91 'xyz1' 00", info: ex("Other", { isKeyframe: true }) },
  { name: "packet type that is not known", bytes: "99 'hvc1' 00", info: ex("HEVC") },
  { name: "seek command", bytes: "d1 00", info: ex("Other", { isFrame: false }) },
  { name: "FourCC that is cut", bytes: "91 'hvc'", info: ex("Other") },
  {
    name: "key frame with a nanosecond offset",
    bytes: "97 02 000064 01 'av01' 00",
    info: ex("AV1", { isKeyframe: true }),
  },
  {
    name: "header behind two ModEx parts, one of them long",
    bytes: "97 00 aa 17 ff 0100 " + "00".repeat(257) + "20 'hvc1' 01",
    info: ex("HEVC", header("video", "config")),
  },
  { name: "ModEx that is cut", bytes: "97 02 0000", info: ex("Other") },
  { name: "ModEx whose long size is cut", bytes: "97 ff 01", info: ex("Other") },
  { name: "ModEx without end", bytes: "97" + " 00 aa 07".repeat(1000), info: ex("Other") },
  {
    name: "key frame of track 0 alone",
    bytes: "96 01 'hvc1' 00 000000",
    info: ex("HEVC", { isKeyframe: true, isMultitrack: true }),
  },
  {
    name: "key frame of track 2 alone",
    bytes: "96 01 'hvc1' 02 000000",
    info: ex("HEVC", { isKeyframe: true, isMultitrack: true, trackId: 2, trackIds: [2] }),
  },
  {
    name: "header of track 2 alone",
    bytes: "96 00 'hvc1' 02 01",
    info: ex("HEVC", { ...header("video", "config", [2]), isMultitrack: true }),
  },
  {
    name: "headers of tracks 1 and 0",
    bytes: "96 10 'avc1' 01 000002 aaaa 00 000001 bb",
    info: ex("H264", { ...header("video", "config", [0, 1]), isMultitrack: true }),
  },
  {
    name: "key frames of two codecs",
    bytes: "96 21 'av01' 01 000000 'avc1' 00 000001 bb",
    info: ex("H264", { isKeyframe: true, isMultitrack: true, trackIds: [0, 1] }),
  },
  {
    name: "end of track 3",
    bytes: "96 02 'avc1' 03",
    info: ex("H264", { isFrame: false, isSequenceEnd: true, isMultitrack: true, trackId: 3, trackIds: [3] }),
  },
  {
    name: "multitrack behind ModEx",
    bytes: "97 00 00 06 01 'hvc1' 00 00",
    info: ex("HEVC", { isKeyframe: true, isMultitrack: true }),
  },
  { name: "multitrack in multitrack", bytes: "96 06 'hvc1' 00 00", info: ex("Other") },
  { name: "multitrack of a type that is not known", bytes: "96 31 'hvc1' 00 00", info: ex("Other") },
  { name: "track that is longer than its message", bytes: "96 11 'hvc1' 00 000005 00", info: ex("Other") },
  { name: "multitrack that is cut", bytes: "96 11 'hvc1' 00 0000", info: ex("Other") },
  { name: "multitrack of one byte", bytes: "96", info: ex("Other") },
];

const AUDIO: Case[] = [
  { name: "AAC frame", bytes: "af 01 21", info: { codec: "AAC" } },
  { name: "AAC header", bytes: "af 00 1210", info: { codec: "AAC", ...header("audio", "config") } },
  { name: "AAC that is one byte long", bytes: "af", info: { codec: "Other" } },
  { name: "MP3", bytes: "2f ff", info: { codec: "MP3" } },
  { name: "MP3 at 8 kHz", bytes: "e2 ff", info: { codec: "MP3" } },
  { name: "A-law", bytes: "72 d5", info: { codec: "G.711A" } },
  { name: "mu-law", bytes: "82 ff", info: { codec: "G.711U" } },
  { name: "Speex", bytes: "b2 00", info: { codec: "Speex" } },
  { name: "Opus as SRS sends it", bytes: "df 00", info: { codec: "Opus" } },
  { name: "format that is not known", bytes: "c0 00", info: { codec: "Other" } },
  { name: "silence", bytes: "", info: { codec: "Other" } },
  { name: "Opus header", bytes: "90 'Opus' 4f", info: ex("Opus", header("audio", "config")) },
  { name: "Opus frame", bytes: "91 'Opus' fc", info: ex("Opus") },
  { name: "FLAC end", bytes: "92 'fLaC'", info: ex("FLAC", { isFrame: false, isSequenceEnd: true }) },
  { name: "AC-3", bytes: "91 'ac-3' 0b", info: ex("AC-3") },
  { name: "E-AC-3", bytes: "91 'ec-3' 0b", info: ex("E-AC-3") },
  { name: "enhanced MP3", bytes: "91 '.mp3' ff", info: ex("MP3") },
  { name: "enhanced AAC header", bytes: "90 'mp4a' 12", info: ex("AAC", header("audio", "config")) },
  {
    name: "channel layout",
    bytes: "94 'mp4a' 01 02 00000003",
    info: ex("AAC", header("audio", "multichannel")),
  },
  { name: "packet type that is not known", bytes: "93 'mp4a' 00", info: ex("AAC") },
  {
    name: "header of track 1",
    bytes: "95 00 'mp4a' 01 1210",
    info: ex("AAC", { ...header("audio", "config", [1]), isMultitrack: true }),
  },
  {
    name: "frames of two codecs",
    bytes: "95 21 'Opus' 00 000001 fc 'mp4a' 01 000001 21",
    info: ex("Opus", { isMultitrack: true, trackIds: [0, 1] }),
  },
  { name: "ModEx before a frame", bytes: "97 02 000064 01 'Opus' fc", info: ex("Opus") },
  { name: "FourCC that is cut", bytes: "91 'Op'", info: ex("Other") },
];

const PLAIN = {
  isSequenceHeader: false,
  isKeyframe: false,
  isFrame: true,
  isEnhanced: false,
  trackId: 0,
  trackIds: [0],
  isMultitrack: false,
  isSequenceEnd: false,
  headerKind: undefined,
  headerKey: "",
};

for (const { name, bytes, info } of VIDEO) {
  Deno.test(`readVideoTag() knows ${name}`, () => {
    assert.deepEqual(readVideoTag(hex(bytes)), { ...PLAIN, media: "video", ...info });
  });
}
for (const { name, bytes, info } of AUDIO) {
  Deno.test(`readAudioTag() knows ${name}`, () => {
    assert.deepEqual(readAudioTag(hex(bytes)), { ...PLAIN, media: "audio", ...info });
  });
}

Deno.test("readVideoTag() and readAudioTag() never throw, wherever a message is cut or changed", () => {
  for (const [table, read] of [[VIDEO, readVideoTag], [AUDIO, readAudioTag]] as const) {
    for (const { bytes: text } of table) {
      const bytes = hex(text);
      for (let i = 0; i < bytes.byteLength; i++) {
        read(bytes.subarray(0, i));
        for (const value of [0x00, 0x06, 0x07, 0x26, 0x80, 0xff]) read(bytes.with(i, value));
      }
    }
  }
});

Deno.test("readVideoTag() and readAudioTag() make no object for an ordinary frame", () => {
  for (const bytes of ["17 01 000000 65", "27 01 000000 41", "91 'hvc1' 000000"]) {
    assert.equal(readVideoTag(hex(bytes)), readVideoTag(hex(bytes)));
  }
  for (const bytes of ["af 01 21", "91 'Opus' fc"]) {
    assert.equal(readAudioTag(hex(bytes)), readAudioTag(hex(bytes)));
  }
});

function header(
  media: "audio" | "video",
  headerKind: "config" | "multichannel" | "metadata",
  trackIds: number[] = [0],
): Partial<MediaTagInfo> {
  return {
    isFrame: false,
    isSequenceHeader: headerKind === "config",
    headerKind,
    headerKey: `${media}/${trackIds.join(",")}/${headerKind}`,
    trackId: trackIds[0] ?? 0,
    trackIds,
  };
}

function ex(codec: string, info: Partial<MediaTagInfo> = {}): Partial<MediaTagInfo> {
  return { codec, isEnhanced: true, ...info };
}
