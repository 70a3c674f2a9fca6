import { RtmpError } from "../../lib/base/errors.ts";
import { splitAggregate } from "../../lib/wire/aggregate.ts";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { readAudioCodec, readVideoCodec } from "../../lib/wire/codec_config.ts";
import { flvHeader, FlvReader, flvTagBytes, writeFlvTag } from "../../lib/wire/flv.ts";
import { mediaTagBody, readAudioTag, readVideoTag } from "../../lib/wire/media_tag.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fillBytes, refusedOr } from "./inputs.ts";

/** Bytes for the smaller input; the larger is a message of some length. */
const SIZE = 32 * 1024;

function bytesEntrance(
  name: string,
  handle: (bytes: Uint8Array) => unknown,
  kinds: Readonly<Record<string, (size: number) => Uint8Array>>,
  size: number = SIZE,
): Entrance {
  const prepared = Object.entries(kinds).map(([kind, make]) => [kind, (size: number) => {
    const bytes = make(size);
    return () => refusedOr(RtmpError, () => handle(bytes));
  }]);
  return { name, size, kinds: Object.fromEntries(prepared) };
}

/** Reads chunks in pieces of so many bytes. */
function readChunks(bytes: Uint8Array, pieceBytes: number): void {
  const reader = new ChunkReader();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes.subarray(at, at + pieceBytes));
    while (reader.next() !== undefined);
  }
}

function readFlv(bytes: Uint8Array, pieceBytes: number): void {
  const reader = new FlvReader();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes.subarray(at, at + pieceBytes));
    while (reader.next() !== undefined);
  }
}

const SET_CHUNK_SIZE_1 = [0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1];

function message(chunkStreamId: number, typeId: number, payload: Uint8Array, chunkSize = 128): Uint8Array {
  return encodeChunks({ chunkStreamId, typeId, timestamp: 0, messageStreamId: 1 }, payload, chunkSize);
}

/** One message on each of `count` chunk streams, a chunk of each in turn. */
function interleaved(size: number, count: number): Uint8Array {
  const chunks = Array.from({ length: count }, (_, index) => {
    const bytes = message(3 + index, 9, new Uint8Array(Math.floor(size / count)));
    return { first: bytes.subarray(0, 12 + 128), rest: bytes.subarray(12 + 128) };
  });
  const pieces = chunks.map(({ first }) => first);
  for (let at = 0; at < size / count; at += 129) {
    for (const { rest } of chunks) pieces.push(rest.subarray(at, at + 129));
  }
  return joinBytes(...pieces);
}

const CHUNKS = {
  "of one byte each": (size: number) =>
    joinBytes(Uint8Array.from(SET_CHUNK_SIZE_1), message(4, 9, new Uint8Array(size / 2), 1)),
  "of one long message": (size: number) => message(4, 9, new Uint8Array(size)),
  "of empty messages": (size: number) => fillBytes([0x04, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0], size),
  "of empty messages without headers": (size: number) =>
    joinBytes(message(4, 9, new Uint8Array(0)), fillBytes([0xc4], size)),
  "of messages with long times": (size: number) =>
    fillBytes([0x04, 0xff, 0xff, 0xff, 0, 0, 0, 9, 1, 0, 0, 0, 1, 0, 0, 0], size),
  "of sixty chunk streams in turn": (size: number) => interleaved(size, 60),
  "of new chunk sizes": (size: number) => fillBytes(SET_CHUNK_SIZE_1, size),
  "of aborted messages": (size: number) =>
    fillBytes([
      ...message(4, 9, new Uint8Array(200)).subarray(0, 140),
      ...message(2, 2, Uint8Array.of(0, 0, 0, 4)),
    ], size),
};

function tag(typeId: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(flvTagBytes(payload.length));
  writeFlvTag(bytes, 0, typeId, 0, payload);
  return bytes;
}

const FLV = {
  "of empty tags": (size: number) =>
    joinBytes(flvHeader(true, true), fillBytes([...tag(8, new Uint8Array(0))], size)),
  "of one long tag": (size: number) => joinBytes(flvHeader(true, true), tag(9, new Uint8Array(size))),
  "of a long header": (size: number) => {
    const header = flvHeader(true, true);
    new DataView(header.buffer).setUint32(5, size);
    return joinBytes(header, new Uint8Array(size));
  },
  "of tags that announce more": (size: number) =>
    joinBytes(
      flvHeader(true, true),
      Uint8Array.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0),
      new Uint8Array(size),
    ),
};

/** Of many tracks, one codec: `count` bytes of tracks without content. */
function tracks(first: number, fourCc: string, size: number): Uint8Array {
  const all = fillBytes([0, 0, 0, 0], size);
  for (let at = 0; at < all.length; at += 4) all[at] = at / 4;
  return joinBytes(Uint8Array.of(first, 0x10, ...new TextEncoder().encode(fourCc)), all);
}

const VIDEO = {
  "of tracks": (size: number) => tracks(0x96, "hvc1", size),
  "of tracks with codecs": (size: number) =>
    joinBytes(Uint8Array.of(0x96, 0x20), fillBytes([0x61, 0x76, 0x63, 0x31, 1, 0, 0, 0], size)),
  "of modifications": (size: number) => joinBytes(Uint8Array.of(0x97), fillBytes([0, 0, 7], size)),
  "of empty parameter sets": (size: number) =>
    joinBytes(Uint8Array.of(0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xff, 0xff), fillBytes([0, 0], size)),
  "of a parameter set of zeros": (size: number) =>
    joinBytes(
      Uint8Array.of(0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xff, 0xe1, 0xff, 0xff, 0x67, 100, 0, 30),
      new Uint8Array(size),
    ),
  "of a parameter set of ones": (size: number) =>
    joinBytes(
      Uint8Array.of(0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xff, 0xe1, 0xff, 0xff, 0x67, 100, 0, 30),
      fillBytes([0xff], size),
    ),
  "of HEVC arrays": (size: number) =>
    joinBytes(
      Uint8Array.of(0x90, 0x68, 0x76, 0x63, 0x31),
      new Uint8Array(22),
      Uint8Array.of(255),
      fillBytes([33, 0xff, 0xff, 0, 0], size),
    ),
  "of AV1 units": (size: number) =>
    joinBytes(Uint8Array.of(0x90, 0x61, 0x76, 0x30, 0x31, 0x81, 0, 0, 0), fillBytes([0x12, 0x00], size)),
};
const AUDIO = {
  "of tracks": (size: number) => tracks(0x95, "Opus", size),
  "of modifications": (size: number) => joinBytes(Uint8Array.of(0x97), fillBytes([0, 0, 7], size)),
  "of an AAC configuration": (size: number) => joinBytes(Uint8Array.of(0xaf, 0), fillBytes([0xff], size)),
  "of a FLAC configuration": (size: number) =>
    joinBytes(Uint8Array.of(0x90, 0x66, 0x4c, 0x61, 0x43), new Uint8Array(size)),
};

testGrowth([
  bytesEntrance("chunks", (bytes) => readChunks(bytes, 65_536), CHUNKS),
  bytesEntrance("chunks that come byte by byte", (bytes) => readChunks(bytes, 1), CHUNKS, 8 * 1024),
  bytesEntrance("FLV", (bytes) => readFlv(bytes, 65_536), FLV),
  bytesEntrance("FLV that comes byte by byte", (bytes) => readFlv(bytes, 1), FLV, 8 * 1024),
  bytesEntrance("aggregate", (bytes) => splitAggregate(bytes, 0), {
    "of empty parts": (size) => fillBytes([...tag(8, new Uint8Array(0))], size),
    "of small parts": (size) => fillBytes([...tag(9, new Uint8Array(10))], size),
    "of aggregates": (size) => {
      let bytes = tag(8, new Uint8Array(0));
      while (bytes.length < size) bytes = tag(22, joinBytes(bytes, bytes));
      return bytes;
    },
  }),
  bytesEntrance("video message", (bytes) => mediaTagBody(readVideoTag(bytes), bytes), VIDEO),
  bytesEntrance("audio message", (bytes) => mediaTagBody(readAudioTag(bytes), bytes), AUDIO),
  bytesEntrance("video codec's configuration", readVideoCodec, VIDEO),
  bytesEntrance("audio codec's configuration", readAudioCodec, AUDIO),
]);
