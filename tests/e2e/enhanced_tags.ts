/**
 * Enhanced RTMP messages made from the files that encoders write: what a publisher that knows Enhanced RTMP sends.
 *
 * @module
 * @see Enhanced RTMP v2, "Enhanced Video" and "Enhanced Audio"
 */
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";

/** One message to publish. */
export interface MediaMessage {
  readonly typeId: number;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** Video packet types; the frame type stands four bits higher. */
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
const MULTITRACK = 6;
const VIDEO = 0x80;
const KEY = 0x10;
const INTER = 0x20;
const AUDIO = 0x90;
const AUDIO_MULTITRACK = 5;
const MANY_TRACKS = 0x10;

const VIDEO_FRAME_MS = 40;
const OPUS_FRAME_MS = 20;
const HEVC_NAL = { vps: 32, sps: 33, pps: 34, accessUnitDelimiter: 35 } as const;
const AV1_SEQUENCE_HEADER = 1;
const AV1_TEMPORAL_DELIMITER = 2;

/** HEVC from an Annex B file without B-frames at 25 frames/s, each access unit begun by a delimiter. */
export function hevcMessages(file: Uint8Array): MediaMessage[] {
  const units: Uint8Array[][] = [];
  const parameterSets = new Map<number, Uint8Array>();
  for (const nal of splitAnnexB(file)) {
    const type = nalType(nal);
    if (type === HEVC_NAL.accessUnitDelimiter) units.push([]);
    else if (type >= HEVC_NAL.vps && type <= HEVC_NAL.pps) parameterSets.set(type, nal);
    else units.at(-1)?.push(nal);
  }
  const header = video(KEY | SEQUENCE_START, "hvc1", hevcConfiguration(parameterSets));
  const frames = units.map((nals, index) => {
    const isKey = nals.some((nal) => nalType(nal) >= 16 && nalType(nal) <= 21);
    // CodedFramesX for the others: both forms are in use.
    const body = concat(nals.flatMap((nal) => [uint(nal.length, 4), nal]));
    const payload = isKey
      ? video(KEY | CODED_FRAMES, "hvc1", concat([uint(0, 3), body]))
      : video(INTER | CODED_FRAMES_X, "hvc1", body);
    return { typeId: MESSAGE_TYPE.video, timestamp: index * VIDEO_FRAME_MS, payload };
  });
  return [{ typeId: MESSAGE_TYPE.video, timestamp: 0, payload: header }, ...frames];
}

/** AV1 from an IVF file at 25 frames/s. */
export function av1Messages(file: Uint8Array): MediaMessage[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const messages: MediaMessage[] = [];
  let offset = view.getUint16(6, true);
  for (let index = 0; offset < file.length; index++) {
    const size = view.getUint32(offset, true);
    const units = splitObus(file.subarray(offset + 12, offset + 12 + size));
    const header = units.find(({ type }) => type === AV1_SEQUENCE_HEADER);
    if (index === 0 && header !== undefined) {
      const payload = video(KEY | SEQUENCE_START, "av01", av1Configuration(header.bytes));
      messages.push({ typeId: MESSAGE_TYPE.video, timestamp: 0, payload });
    }
    const frameType = header === undefined ? INTER : KEY;
    const body = concat(
      units.filter(({ type }) => type !== AV1_TEMPORAL_DELIMITER).map(({ bytes }) => bytes),
    );
    const payload = video(frameType | CODED_FRAMES, "av01", body);
    messages.push({ typeId: MESSAGE_TYPE.video, timestamp: index * VIDEO_FRAME_MS, payload });
    offset += 12 + size;
  }
  return messages;
}

/** Opus from an Ogg file with 20 ms a packet. */
export function opusMessages(file: Uint8Array): MediaMessage[] {
  const [head, , ...packets] = splitOgg(file);
  if (head === undefined) throw new Error("Cannot read Ogg: it has no packets");
  const header = { typeId: MESSAGE_TYPE.audio, timestamp: 0, payload: audio(SEQUENCE_START, "Opus", head) };
  return [
    header,
    ...packets.map((packet, index) => ({
      typeId: MESSAGE_TYPE.audio,
      timestamp: index * OPUS_FRAME_MS,
      payload: audio(CODED_FRAMES, "Opus", packet),
    })),
  ];
}

/** Several tracks of one codec in one message, each with its id and length. */
export function multitrackMessage(message: MediaMessage, trackIds: readonly number[]): MediaMessage {
  const { typeId, timestamp, payload } = message;
  const [first = 0] = payload;
  const isVideo = typeId === MESSAGE_TYPE.video;
  const packetType = first & 0x0f;
  const begin = isVideo ? (first & 0xf0) | MULTITRACK : AUDIO | AUDIO_MULTITRACK;
  const body = payload.subarray(5);
  const tracks = trackIds.flatMap((id) => [uint(id, 1), uint(body.length, 3), body]);
  const parts = [uint(begin, 1), uint(MANY_TRACKS | packetType, 1), payload.subarray(1, 5), ...tracks];
  return { typeId, timestamp, payload: concat(parts) };
}

function video(typeBits: number, fourCc: string, body: Uint8Array): Uint8Array {
  return concat([uint(VIDEO | typeBits, 1), new TextEncoder().encode(fourCc), body]);
}

function audio(packetType: number, fourCc: string, body: Uint8Array): Uint8Array {
  return concat([uint(AUDIO | packetType, 1), new TextEncoder().encode(fourCc), body]);
}

/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 section 8.3.3.1, for 4:2:0 with 8 bits. */
function hevcConfiguration(parameterSets: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const sps = parameterSets.get(HEVC_NAL.sps);
  if (sps === undefined) throw new Error("Cannot read HEVC: it has no sequence parameter set");
  // Behind the header of two bytes and one more: profile, compatibility flags, constraints, level.
  const profile = unescape(sps).subarray(3, 15);
  const fixed = Uint8Array.of(0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, parameterSets.size);
  const arrays = [...parameterSets].flatMap((
    [type, nal],
  ) => [uint(0x80 | type, 1), uint(1, 2), uint(nal.length, 2), nal]);
  return concat([uint(1, 1), profile, fixed, ...arrays]);
}

/** AV1CodecConfigurationRecord for 4:2:0 with 8 bits, from a sequence header without timing information. */
function av1Configuration(sequenceHeader: Uint8Array): Uint8Array {
  const first = sequenceHeader[2] ?? 0;
  const profile = first >> 5;
  // Profile 3 bits, still, reduced, timing, delay, operating points 5 bits, their idc 12 bits, level 5 bits.
  const level = (((sequenceHeader[4] ?? 0) << 8 | (sequenceHeader[5] ?? 0)) >> 3) & 0x1f;
  return concat([Uint8Array.of(0x81, profile << 5 | level, 0x0c, 0), sequenceHeader]);
}

function splitAnnexB(file: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let i = 0; i + 3 <= file.length; i++) {
    if (file[i] === 0 && file[i + 1] === 0 && file[i + 2] === 1) starts.push(i + 3);
  }
  return starts.map((start, index) => {
    let end = starts[index + 1] === undefined ? file.length : (starts[index + 1] ?? 0) - 3;
    while (end > start && file[end - 1] === 0) end--;
    return file.subarray(start, end);
  });
}

function nalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f;
}

/** Without emulation prevention bytes. */
function unescape(nal: Uint8Array): Uint8Array {
  return nal.filter((byte, index) =>
    !(byte === 3 && index >= 2 && nal[index - 1] === 0 && nal[index - 2] === 0)
  );
}

function splitObus(unit: Uint8Array): { type: number; bytes: Uint8Array }[] {
  const found: { type: number; bytes: Uint8Array }[] = [];
  for (let offset = 0; offset < unit.length;) {
    const first = unit[offset] ?? 0;
    const headerBytes = (first & 4) === 0 ? 1 : 2;
    let size = 0;
    let at = offset + headerBytes;
    for (let shift = 0;; shift += 7) {
      const byte = unit[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    found.push({ type: first >> 3 & 0x0f, bytes: unit.subarray(offset, at + size) });
    offset = at + size;
  }
  return found;
}

/** The packets of an Ogg file with one stream. */
function splitOgg(file: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (let page = 0; page + 27 <= file.length;) {
    const lacing = file.subarray(page + 27, page + 27 + (file[page + 26] ?? 0));
    let at = page + 27 + lacing.length;
    for (const size of lacing) {
      parts.push(file.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(concat(parts));
      parts = [];
    }
    page = at;
  }
  return packets;
}

function uint(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => value >>> 8 * (bytes - 1 - index));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
