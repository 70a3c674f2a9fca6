/**
 * Messages that a publisher might send: nearly right, each in its own way.
 *
 * @module
 */
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { forgeAmf3 } from "./amf3_grammar.ts";
import type { Random } from "./random.ts";

export interface ForgedMessage {
  readonly typeId: number;
  readonly payload: Uint8Array;
}

const VIDEO_CODECS = ["avc1", "hvc1", "vvc1", "av01", "vp08", "vp09", "xxxx"];
const AUDIO_CODECS = ["mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3", "xxxx"];
const MULTITRACK = { audio: 5, video: 6 } as const;
const MOD_EX = 7;
/** A size is wrong once in so many times. */
const LIES = 12;

/** Any message. */
export function forgeMessage(random: Random): ForgedMessage {
  switch (random.below(8)) {
    case 0:
    case 1:
      return { typeId: MESSAGE_TYPE.video, payload: forgeMedia(random, "video") };
    case 2:
      return { typeId: MESSAGE_TYPE.audio, payload: forgeMedia(random, "audio") };
    case 3:
      return { typeId: MESSAGE_TYPE.aggregate, payload: forgeAggregate(random) };
    case 4:
    case 5:
      return forgeData(random);
    case 6:
      return forgeCommand(random);
    default:
      return {
        typeId: random.below(random.once(2) ? 24 : 256) || 8,
        payload: random.bytes(random.below(20)),
      };
  }
}

/** Legacy or enhanced audio or video, one track or many. */
export function forgeMedia(random: Random, media: "audio" | "video"): Uint8Array {
  const frameType = random.pick([1, 1, 2, 2, 2, 5, random.below(8)]);
  if (random.once(3)) {
    const first = media === "video"
      ? (frameType << 4) | random.pick([7, 7, 12, 2])
      : random.pick([0xaf, 0xaf, 0x2f]);
    const type = random.pick([0, 1, 1, 1, 2, random.below(256)]);
    return damaged(
      random,
      joinBytes(Uint8Array.of(first & 0x7f | (first & 0x80), type), random.bytes(random.below(40))),
    );
  }
  const pieces: Uint8Array[] = [];
  let packetType = random.pick([
    0,
    0,
    1,
    1,
    1,
    2,
    3,
    4,
    MULTITRACK[media],
    MULTITRACK[media],
    random.below(16),
  ]);
  const inner = packetType;
  const modifications = random.once(4) ? 1 + random.below(3) : 0;
  if (modifications > 0) packetType = MOD_EX;
  pieces.push(Uint8Array.of(media === "video" ? 0x80 | (frameType << 4) | packetType : 0x90 | packetType));
  for (let i = 0; i < modifications; i++) {
    const size = random.once(10) ? 256 + random.below(300) : 1 + random.below(6);
    const length = random.once(LIES) ? random.below(256) : size - 1;
    pieces.push(size > 255 ? Uint8Array.of(0xff, length >> 8, length & 0xff) : Uint8Array.of(length));
    pieces.push(random.bytes(size));
    pieces.push(Uint8Array.of(random.below(16) << 4 | (i + 1 < modifications ? MOD_EX : inner)));
  }
  const codecs = media === "video" ? VIDEO_CODECS : AUDIO_CODECS;
  if (inner === MULTITRACK[media]) pieces.push(tracks(random, codecs));
  else pieces.push(fourCc(random.pick(codecs)), random.bytes(random.below(40)));
  return damaged(random, joinBytes(...pieces));
}

function tracks(random: Random, codecs: readonly string[]): Uint8Array {
  const type = random.once(20) ? random.below(16) : random.below(3);
  const pieces: Uint8Array[] = [
    Uint8Array.of(type << 4 | random.pick([0, 0, 1, 1, 1, 2, 4, random.below(16)])),
  ];
  if (type !== 2) pieces.push(fourCc(random.pick(codecs)));
  const count = type === 0 ? 1 : random.once(20) ? random.below(300) : 1 + random.below(5);
  for (let i = 0; i < count; i++) {
    const body = random.bytes(random.below(12));
    if (type === 2) pieces.push(fourCc(random.pick(codecs)));
    pieces.push(Uint8Array.of(random.once(3) ? random.below(256) : i));
    if (type !== 0) {
      const size = random.once(LIES) ? random.pick([0, 0xff_ffff, body.length + 1]) : body.length;
      pieces.push(Uint8Array.of(size >> 16, size >> 8, size));
    }
    pieces.push(body);
  }
  return joinBytes(...pieces);
}

/** Parts of all kinds, aggregates among them; their sizes and times may be anything. */
export function forgeAggregate(random: Random, depth: number = 0): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let count = random.below(5); count >= 0; count--) {
    const isNested = depth < 4 && random.once(4);
    const part = isNested
      ? { typeId: MESSAGE_TYPE.aggregate, payload: forgeAggregate(random, depth + 1) }
      : random.once(3)
      ? forgeData(random)
      : { typeId: MESSAGE_TYPE.video, payload: forgeMedia(random, "video") };
    const { length } = part.payload;
    const size = random.once(LIES) ? random.pick([0, 0xff_ffff, 0x80_0000, length + 1, length - 1]) : length;
    const time = random.once(6) ? random.below(0xffff_ffff) : random.below(1000);
    const header = new DataView(new ArrayBuffer(11));
    header.setUint32(0, size & 0xff_ffff);
    header.setUint8(0, random.once(20) ? random.below(256) : part.typeId);
    header.setUint32(3, ((time & 0xff_ffff) << 8) | (time >>> 24));
    pieces.push(new Uint8Array(header.buffer), part.payload, Uint8Array.of(0, 0, 0, length + 11));
  }
  return damaged(random, joinBytes(...pieces));
}

const DATA_NAMES: readonly (readonly Amf0Value[])[] = [
  ["onMetaData"],
  ["@setDataFrame", "onMetaData"],
  ["@setDataFrame"],
  ["@clearDataFrame", "onMetaData"],
  ["onTextData"],
  [],
  [1],
];

/** Metadata or other data, in AMF0 with AMF3 within, or in AMF3. */
export function forgeData(random: Random): ForgedMessage {
  const typeId = random.once(4) ? MESSAGE_TYPE.dataAmf3 : MESSAGE_TYPE.data;
  const name = encodeAmf0(random.pick(DATA_NAMES));
  const bodies = [
    () => encodeAmf0([Amf0Object.from({ width: 1, duration: 2, [`p${random.below(9)}`]: "x" })]),
    () => encodeAmf0([random.pick([null, undefined, 1, "x", true])]),
    () => joinBytes(Uint8Array.of(17), forgeAmf3(random)),
    () =>
      joinBytes(Uint8Array.of(3, 0, 1, 0x61, 17), forgeAmf3(random), Uint8Array.of(0, 1, 0x62, 5, 0, 0, 9)),
    () => joinBytes(Uint8Array.of(8, 0, 0, 0, 1, 0, 1, 0x61), forgeAmf0(random, 0), Uint8Array.of(0, 0, 9)),
    () => forgeAmf0(random, 0),
    () => random.bytes(random.below(30)),
  ];
  const body = random.pick(bodies)();
  const prefix = random.once(4) ? Uint8Array.of(0) : new Uint8Array(0);
  return { typeId, payload: damaged(random, joinBytes(prefix, name, body)) };
}

/** One AMF0 value as bytes: every marker there is, references that may lead nowhere. */
export function forgeAmf0(random: Random, depth: number): Uint8Array {
  const marker = random.once(40) ? random.below(256) : random.below(depth < 5 ? 18 : 8);
  const name = () => joinBytes(Uint8Array.of(0, 1), random.bytes(1));
  const properties = () => {
    const pieces: Uint8Array[] = [];
    for (let count = random.below(4); count > 0; count--) pieces.push(name(), forgeAmf0(random, depth + 1));
    return joinBytes(...pieces, Uint8Array.of(0, 0, 9));
  };
  const longText = () => joinBytes(Uint8Array.of(0, 0, 0, 3), random.bytes(3));
  const bodies: Readonly<Record<number, () => Uint8Array>> = {
    0: () => random.bytes(8),
    1: () => random.bytes(1),
    2: () => joinBytes(Uint8Array.of(0, 2), random.bytes(2)),
    3: properties,
    7: () => Uint8Array.of(0, random.below(3)),
    8: () => joinBytes(random.bytes(4), properties()),
    10: () => {
      const count = random.below(4);
      return joinBytes(
        Uint8Array.of(0, 0, 0, random.once(LIES) ? 255 : count),
        ...Array.from({ length: count }, () => forgeAmf0(random, depth + 1)),
      );
    },
    11: () => random.bytes(10),
    12: longText,
    15: longText,
    16: () => joinBytes(name(), properties()),
    17: () => forgeAmf3(random),
  };
  return joinBytes(Uint8Array.of(marker), bodies[marker]?.() ?? new Uint8Array(0));
}

const COMMANDS = [
  "connect",
  "createStream",
  "publish",
  "play",
  "pause",
  "seek",
  "receiveAudio",
  "receiveVideo",
  "deleteStream",
  "closeStream",
  "releaseStream",
  "FCPublish",
  "FCUnpublish",
  "getStreamLength",
  "_result",
  "onStatus",
  "nobodyKnows",
];

/** A command with arguments of the wrong kind, and sometimes with what is no AMF behind it. */
export function forgeCommand(random: Random): ForgedMessage {
  const values: readonly Amf0Value[] = [
    null,
    undefined,
    0,
    1,
    -1,
    NaN,
    true,
    false,
    "",
    "a",
    Amf0Object.from({ app: "live" }),
    [1],
  ];
  const rest = Array.from({ length: random.below(4) }, () => random.pick(values));
  const command = encodeCommand(random.pick(COMMANDS), random.below(4), random.pick(values), ...rest);
  const garbage = random.once(2)
    ? new Uint8Array(0)
    : random.once(2)
    ? random.bytes(random.below(12))
    : forgeAmf0(random, 0);
  const payload = damaged(random, joinBytes(command, garbage));
  return random.once(4)
    ? { typeId: MESSAGE_TYPE.commandAmf3, payload: joinBytes(Uint8Array.of(0), payload) }
    : { typeId: MESSAGE_TYPE.command, payload };
}

/** Now and then a few bytes are changed or the end is missing. */
export function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0 || !random.once(5)) return bytes;
  if (random.once(2)) return bytes.slice(0, random.below(bytes.length));
  const changed = bytes.slice();
  for (let i = random.below(3); i >= 0; i--) changed[random.below(bytes.length)] = random.below(256);
  return changed;
}

function fourCc(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
