import assert from "node:assert/strict";
import {
  type AudioCodecInfo,
  readAudioCodec,
  readVideoCodec,
  type VideoCodecInfo,
} from "../../lib/wire/codec_config.ts";
import { hex } from "./hex.ts";

type Row<T> = readonly [name: string, bytes: string, ...T[]];

/** Name, message, then codec, profile, level, width and height. Records are x264's, x265's, libaom's and SVT-AV1's. */
const VIDEO: Row<string | number | undefined>[] = [
  [
    "H.264 baseline",
    "17 00 000000 0142c016ffe100196742c016d900a02ff970110000030001000003000a0f162e4801000568cb83cb20",
    ...["H264", "Baseline", "2.2", 640, 360],
  ],
  [
    "H.264 high, cropped on two sides",
    "17 00 000000 01640028ffe1001b67640028acd940780227a9b0110000030001000003000a0f18319601000668ebe3cb22c0fdf8f800",
    ...["H264", "High", "4", 1918, 1078],
  ],
  [
    "H.264 high, interlaced and cropped",
    "17 00 000000 01640028ffe1001b67640028acd94078044fde022000000300200000030143e2c5b2c001000668fba3cb22c0fdf8f800",
    ...["H264", "High", "4", 1920, 1080],
  ],
  [
    "H.264 4:2:2",
    "17 00 000000 017a000cffe1001b677a000cbcd9415087888fc044000003000400000300283c50a65801000668ebe3cb22c0fef8f800",
    ...["H264", "High(422)", "1.2", 322, 242],
  ],
  [
    "H.264 4:4:4",
    "17 00 000000 01f4000cffe1001c67f4000c919b282a10f0842180880000030008000003005078a14cb001000668ebe3c44844fff8f800",
    ...["H264", "High(444+Predictive)", "1.2", 321, 241],
  ],
  [
    "H.264 without colour",
    "17 00 000000 0164000cffe1001b6764000cf36505021f8fc05b2000000300200000030141e28532c001000668ebe3cb22c0fcf8f800",
    ...["H264", "High", "1.2", 320, 242],
  ],
  [
    "H.264 with scaling lists that end early, order type 1 and a crop, made by hand",
    "17 00 000000 0164001e ffe1 0013 6764001ead84811c22050e218a1a80a02ff950 00",
    ...["H264", "High", "3", 640, 360],
  ],
  [
    "H.264 with an SPS that is cut",
    "17 00 000000 01640028ffe1001b67640028ac",
    ...["H264", "High", "4", undefined, undefined],
  ],
  [
    "H.264 without an SPS",
    "17 00 000000 01640028ffe0",
    ...["H264", "High", "4", undefined, undefined],
  ],
  ["H.264 without a record", "17 00 000000", "H264", undefined, undefined, undefined, undefined],
  ["H.264 frame", "17 01 000000 00000001 65", "H264", undefined, undefined, undefined, undefined],
  [
    "enhanced H.264",
    "90 'avc1' 0142c016ffe100196742c016d900a02ff970110000030001000003000a0f162e4801000568cb83cb20",
    ...["H264", "Baseline", "2.2", 640, 360],
  ],
  [
    "H.265",
    "90 'hvc1' 01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003" +
    "0078959809a10001002c420101016000000300900000030000030078a003c08010e75596566924caf0168080000003008000" +
    "00030284a2000100074401c172b46240",
    ...["HEVC", "Main", "4", 1918, 1078],
  ],
  [
    "H.265 4:2:2 in 10 bits, in the form that Enhanced RTMP replaced",
    "1c 00 000000 0104080000009d08000000003ff000fcfefafa00000f03a00001001740010c01ffff0408000003009d08000003" +
    "00003f959809a10001002b4201010408000003009d0800000300003fb005120171c93b65959a4932bc05a020000003002000" +
    "000300a1a2000100074401c172b46240",
    ...["HEVC", "Rext", "2.1", 642, 362],
  ],
  [
    "H.265 with two temporal layers",
    "90 'hvc1' 0101600000009000000000003ff000fcfdf8f800001303a00001001c40010c02ffff016000000300900000030000" +
    "03003f00009598acc048a10001002f42010201600000030090000003000003003f0000a005020171f2659598acd24995e02d" +
    "010000030001000003000508a2000100074401c172b46240",
    ...["HEVC", "Main", "2.1", 640, 362],
  ],
  ["AV1 of libaom", "90 'av01' 81010c000a0b0000000cc4fb6536be4010", "AV1", "Main", "2.1", 638, 358],
  ["AV1 of SVT-AV1", "90 'av01' 81010c000a0b0000000cc4ff6700be0010", "AV1", "Main", "2.1", 640, 360],
  ["AV1 without a sequence header", "90 'av01' 81010c00", "AV1", "Main", "2.1", undefined, undefined],
  [
    "AV1 whose unit is longer than its record",
    "90 'av01' 81010c00 0a 7f 00",
    ...["AV1", "Main", "2.1"],
    undefined,
    undefined,
  ],
  ["VP9", "90 'vp09' 00 1f 82 02 02 02 0000", "VP9", "Profile 0", "3.1", 0, 0],
  ["VP9 with the prefix of MP4", "90 'vp09' 01000000 02 28 a2 09 10 09 0000", "VP9", "Profile 2", "4", 0, 0],
  [
    "a VP9 key frame",
    "91 'vp09' 82498342 0014100f 160438241c184a00",
    ...["VP9", undefined, undefined, 322, 242],
  ],
  [
    "a VP9 key frame of profile 1",
    "91 'vp09' a2498342 00028201 e2c087048383094002",
    ...["VP9", undefined, undefined, 322, 242],
  ],
  [
    "a VP9 key frame in 10 bits",
    "91 'vp09' 92498342 000a0807 8b031c120e0c2c00",
    ...["VP9", undefined, undefined, 322, 242],
  ],
  [
    "a VP9 key frame that is cut",
    "91 'vp09' 82498342 0014",
    "VP9",
    undefined,
    undefined,
    undefined,
    undefined,
  ],
  [
    "a VP9 frame that is no key frame",
    "a1 'vp09' 86004092f111",
    "VP9",
    undefined,
    undefined,
    undefined,
    undefined,
  ],
  [
    "a VP9 frame that only calls itself a key frame",
    "91 'vp09' 86004092f1114000",
    ...["VP9", undefined, undefined, undefined, undefined],
  ],
  ["a VP8 key frame", "91 'vp08' 1074009d 012a4201 f20000", "VP8", undefined, undefined, 322, 242],
  [
    "a VP8 key frame that is cut",
    "91 'vp08' 1074009d 012a4201 f2",
    "VP8",
    undefined,
    undefined,
    undefined,
    undefined,
  ],
  [
    "the lowest of two tracks",
    "96 10 'av01' 01 000011 81010c000a0b0000000cc4ff6700be0010 00 000011 81010c000a0b0000000cc4fb6536be4010",
    ...["AV1", "Main", "2.1", 638, 358],
  ],
  ["VP6", "14 00", "VP6", undefined, undefined, undefined, undefined],
  ["nothing", "", "Other", undefined, undefined, undefined, undefined],
];

for (const [name, bytes, codec, profile, level, width, height] of VIDEO) {
  Deno.test(`readVideoCodec() reads ${name}`, () => {
    assert.deepEqual(readVideoCodec(hex(bytes)), { codec, profile, level, width, height } as VideoCodecInfo);
  });
}

/** Name, message, then codec, profile, sample rate and channels. */
const AUDIO: Row<string | number | undefined>[] = [
  ["AAC", "af 00 1210", "AAC", "LC", 44_100, 2],
  ["AAC at 8 kHz, with the extension that says it has none", "af 00 1590 56e500", "AAC", "LC", 8000, 2],
  ["AAC at 48 kHz, with the extension that says it has none", "af 00 1190 56e500", "AAC", "LC", 48_000, 2],
  ["AAC in 5.1", "af 00 11b0", "AAC", "LC", 48_000, 6],
  ["AAC in 7.1", "af 00 11b8", "AAC", "LC", 48_000, 8],
  // 00010 1111 (rate 37800 in 24 bits) 0001 000
  ["AAC at a rate of its own", "af 00 1780 49d4 08", "AAC", "LC", 37_800, 1],
  // 00101 0111 0010 0100 00010 000
  ["HE-AAC", "af 00 2b92 0800", "AAC", "HE", 44_100, 2],
  // 11101 0111 0001 0100 00010 000
  ["HE-AAC v2, whose one channel plays as two", "af 00 eb8a 0800", "AAC", "HEv2", 44_100, 2],
  // 00010 0111 0010 000 | 01010110111 00101 1 0100
  ["HE-AAC that calls itself LC", "af 00 1390 56e5a0", "AAC", "HE", 44_100, 2],
  // 00010 0111 0001 000 | 01010110111 00101 1 0100 10101001000 1
  ["HE-AAC v2 that calls itself LC", "af 00 1388 56e5a5 4880", "AAC", "HEv2", 44_100, 2],
  ["AAC main", "af 00 0a10", "AAC", "Main", 44_100, 2],
  ["AAC with a configuration that is cut", "af 00 12", "AAC", undefined, undefined, undefined],
  ["AAC without a configuration", "af 00", "AAC", undefined, undefined, undefined],
  ["AAC frame", "af 01 21", "AAC", undefined, undefined, undefined],
  ["enhanced AAC", "90 'mp4a' 1210", "AAC", "LC", 44_100, 2],
  ["Opus", "90 'OpusOpusHead' 01 02 3801 80bb0000 0000 00", "Opus", undefined, 48_000, 2],
  ["Opus without its header", "90 'Opus' 00", "Opus", undefined, undefined, undefined],
  [
    "FLAC",
    "90 'fLaCfLaC' 00000022 1200 1200 00047e 0004da 0ac440f000002274 64b80e4dc9c9bd5ca308a6942a1c06ec",
    ...["FLAC", undefined, 44_100, 1],
  ],
  ["MP3", "2f fff340c4 0013", "MP3", undefined, 22_050, 1],
  ["MP3 at 48 kHz in stereo", "2f fffb9444", "MP3", undefined, 48_000, 2],
  ["MP3 in MPEG-2.5", "2f ffe344c4", "MP3", undefined, 12_000, 1],
  ["MP3 by its flags when there is no frame header", "2b 0000", "MP3", undefined, 22_050, 2],
  ["enhanced MP3", "91 '.mp3' fff340c4", "MP3", undefined, 22_050, 1],
  ["A-law", "72 d5", "G.711A", undefined, 8000, 1],
  ["PCM", "3f 00", "PCM", undefined, 44_100, 2],
  ["Speex", "b2 00", "Speex", undefined, 16_000, 1],
  ["AC-3", "91 'ac-3' 0b77", "AC-3", undefined, undefined, undefined],
  ["nothing", "", "Other", undefined, undefined, undefined],
];

for (const [name, bytes, codec, profile, sampleRate, channels] of AUDIO) {
  Deno.test(`readAudioCodec() reads ${name}`, () => {
    assert.deepEqual(readAudioCodec(hex(bytes)), { codec, profile, sampleRate, channels } as AudioCodecInfo);
  });
}

Deno.test("readVideoCodec() and readAudioCodec() never throw, wherever a message is cut or changed", () => {
  for (const [table, read] of [[VIDEO, readVideoCodec], [AUDIO, readAudioCodec]] as const) {
    for (const [, text] of table) {
      const bytes = hex(text);
      for (let i = 0; i < bytes.byteLength; i++) {
        read(bytes.subarray(0, i));
        for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) read(bytes.with(i, value));
      }
    }
  }
});
