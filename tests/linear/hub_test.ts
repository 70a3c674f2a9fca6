import { RtmpError } from "../../lib/base/errors.ts";
import type { LiveStream } from "../../lib/hub/live_stream.ts";
import type { PlayerCursor } from "../../lib/hub/player_cursor.ts";
import { StreamHub } from "../../lib/hub/stream_hub.ts";
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { newStream, TEST_STREAM_OPTIONS, TestFeed } from "../fakes/stream_peer.ts";
import { HARMLESS_OBJECT_NS, testGrowth } from "./growth.ts";
import { fill, fillBytes, refusedOr } from "./inputs.ts";

/** What a stream does with `count` messages from one feed, and two players who read them. */
function feed(write: (feed: TestFeed, index: number) => void): (count: number) => () => void {
  return (count) => () => {
    const stream = newStream();
    const players = [stream.subscribe("rtmp", { fromGop: true }), stream.subscribe("flv", { fromGop: true })];
    const encoder = new TestFeed(stream);
    for (let index = 0; index < count; index++) {
      refusedOr(RtmpError, () => write(encoder, index));
      for (const player of players) readAll(player);
    }
    encoder.close();
  };
}

function readAll(player: PlayerCursor): void {
  while (player.next() !== undefined);
}

/** A key frame each 25 messages, 40 ms apart. */
function frame(encoder: TestFeed, index: number): void {
  if (index % 25 === 0) encoder.keyframe(index * 40);
  else encoder.inter(index * 40);
}

/** A header of these tracks, each without content. */
function trackHeader(trackIds: readonly number[]): Uint8Array {
  return Uint8Array.of(0x96, 0x10, 0x68, 0x76, 0x63, 0x31, ...trackIds.flatMap((id) => [id & 0xff, 0, 0, 0]));
}

const ALL_TRACKS = Array.from({ length: 256 }, (_, id) => id);

function metadata(properties: Record<string, Amf0Value>): Uint8Array {
  return encodeAmf0(["onMetaData", Amf0Object.from(properties)]);
}

/** A feed's data message of `size` bytes, handed to a stream. */
function data(make: (size: number) => Uint8Array): (size: number) => () => void {
  return (size) => {
    const payload = make(size);
    return () => {
      const encoder = new TestFeed(newStream({
        limits: { ...DEFAULT_WIRE_LIMITS, maxAmfProperties: 10_000_000, maxAmfStringBytes: 16_000_000 },
      }));
      refusedOr(RtmpError, () => encoder.write(MESSAGE_TYPE.data, 0, payload));
    };
  };
}

/** A stream with a group of pictures that has so many frames, kept for `use`. */
function stream(
  frames: number,
  use: (stream: LiveStream, count: number) => void,
): (count: number) => () => void {
  return (count) => {
    const made = newStream();
    const encoder = new TestFeed(made);
    encoder.metadata({ width: 1 });
    encoder.videoHeader(0);
    encoder.audioHeader(0);
    encoder.keyframe(0);
    for (let index = 1; index < frames; index++) encoder.inter(index * 40);
    return () => use(made, count);
  };
}

const NAME = [2, 0, 10, ...new TextEncoder().encode("onMetaData")];

testGrowth([
  {
    name: "messages of a stream",
    size: 1000,
    kinds: {
      "of frames": feed(frame),
      "of frames at one time": feed((encoder, index) =>
        index % 25 === 0 ? encoder.keyframe(0) : encoder.inter(0)
      ),
      "of frames in one group": feed((encoder, index) =>
        index === 0 ? encoder.keyframe(0) : encoder.inter(index)
      ),
      "of key frames": feed((encoder, index) => encoder.keyframe(index)),
      "of audio": feed((encoder, index) => encoder.audio(index * 23)),
      "of times that jump": feed((encoder, index) => encoder.inter(index * 7_654_321 % 0x80000000)),
      "of headers": feed((encoder, index) => encoder.videoHeader(index, index)),
      "of headers of another track each": feed((encoder, index) => {
        encoder.write(MESSAGE_TYPE.video, index, trackHeader([index]));
      }),
      "of headers of other tracks each": feed((encoder, index) => {
        encoder.write(MESSAGE_TYPE.video, index, trackHeader([index, index >> 8]));
      }),
      "of the ends of tracks": feed((encoder, index) => {
        encoder.write(MESSAGE_TYPE.video, index, trackHeader([index]));
        encoder.write(MESSAGE_TYPE.video, index, trackHeader(ALL_TRACKS).with(1, 0x12));
      }),
      "of metadata": feed((encoder, index) => encoder.metadata({ index })),
      "of data": feed((encoder, index) =>
        encoder.write(MESSAGE_TYPE.data, index, encodeAmf0(["onText", index]))
      ),
      "of metadata between frames": feed((encoder, index) => {
        frame(encoder, index);
        encoder.metadata({ index });
      }),
      "without bytes": feed((encoder, index) => encoder.write(MESSAGE_TYPE.audio, index, new Uint8Array(0))),
    },
  },
  {
    name: "bytes that a player reads late",
    size: 1000,
    kinds: {
      "of a group": (count) => () => {
        const stream = newStream();
        const player = stream.subscribe("rtmp", { fromGop: true });
        const encoder = new TestFeed(stream);
        for (let index = 0; index < count; index++) {
          if (index === 0) encoder.keyframe(0, 1000);
          else encoder.inter(index, 1000);
        }
        readAll(player);
      },
      "for one who chose": (count) => () => {
        const stream = newStream();
        const player = stream.subscribe("rtmp", { fromGop: true });
        player.setFilter({ messageStreamId: 2, accept: ({ typeId }) => typeId === MESSAGE_TYPE.video });
        const encoder = new TestFeed(stream);
        for (let index = 0; index < count; index++) {
          if (index === 0) encoder.keyframe(0, 100);
          else encoder.inter(index, 100);
        }
        readAll(player);
      },
    },
  },
  {
    name: "players of a stream",
    size: 500,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "who join": stream(250, (stream, count) => {
        const players = Array.from({ length: count }, () => stream.subscribe("rtmp", { fromGop: true }));
        for (const player of players) player.next();
        for (const player of players) stream.unsubscribe(player);
      }),
      "who join and leave": stream(250, (stream, count) => {
        for (let index = 0; index < count; index++) {
          stream.unsubscribe(stream.subscribe(index % 2 === 0 ? "rtmp" : "flv", { fromGop: true }));
        }
      }),
      "who stay for a hundred frames": stream(25, (stream, count) => {
        const players = Array.from({ length: count }, () => stream.subscribe("rtmp", { fromGop: false }));
        for (const player of players) readAll(player);
        for (const player of players) stream.unsubscribe(player);
      }),
      "who are frozen": (count) => () => {
        const stream = newStream();
        const encoder = new TestFeed(stream);
        for (let index = 0; index < count; index++) stream.subscribe("rtmp", { fromGop: true });
        for (let index = 0; index < 200; index++) frame(encoder, index);
      },
    },
  },
  {
    name: "streams of a node",
    size: 500,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "that come and go": (count) => () => {
        const hub = new StreamHub(() => {});
        const streams = Array.from(
          { length: count },
          (_, index) => hub.open(`/live/${index}`, () => TEST_STREAM_OPTIONS),
        );
        for (const stream of streams) hub.release(stream);
      },
      "each with a player": (count) => () => {
        const hub = new StreamHub(() => {});
        for (let index = 0; index < count; index++) {
          const stream = hub.open(`/live/${index}`, () => TEST_STREAM_OPTIONS);
          stream.subscribe("rtmp", { fromGop: true });
          hub.release(stream);
        }
      },
    },
  },
  {
    name: "metadata",
    size: 8192,
    kinds: {
      "of properties": data((size) => {
        return metadata(
          Object.fromEntries(Array.from({ length: size / 8 }, (_, index) => [`p${index}`, index])),
        );
      }),
      "of one long text": data((size) => metadata({ text: fill("a", size) })),
      "of one long name": data((size) => metadata({ [fill("a", Math.min(size, 65_000))]: 1 })),
      "of an index of key frames": data((size) => {
        const times = Array.from({ length: size / 18 }, (_, index) => index);
        return metadata({ keyframes: Amf0Object.from({ times, filepositions: times }) });
      }),
      "of values that FFmpeg can't read": data((size) => metadata({ all: Array(size).fill(undefined) })),
      "of objects without end": data((size) =>
        joinBytes(Uint8Array.from(NAME), fillBytes([3, 0, 1, 0x61], size))
      ),
      "of references": data((size) => {
        return joinBytes(Uint8Array.from(NAME), Uint8Array.of(3), fillBytes([0, 1, 0x61, 7, 0, 0], size));
      }),
      "of AMF3 objects of one class with a long name": data((size) => {
        const text = fillBytes([0x61], size >> 1);
        const count = size >> 2;
        return joinBytes(
          Uint8Array.from([...NAME, 3, 0, 1, 0x61, 17, 9, ...u29((count << 1) | 1), 1]),
          Uint8Array.from([10, 3, ...u29((text.length << 1) | 1)]),
          text,
          fillBytes([10, 1], (count - 1) * 2),
          Uint8Array.of(0, 0, 9),
        );
      }),
      "of AMF3 references to one long text": data((size) => {
        const text = fillBytes([0x61], size >> 1);
        const count = size >> 2;
        return joinBytes(
          Uint8Array.from([...NAME, 3, 0, 1, 0x61, 17, 9, ...u29((count << 1) | 1), 1]),
          Uint8Array.from([6, ...u29((text.length << 1) | 1)]),
          text,
          fillBytes([6, 0], (count - 1) * 2),
          Uint8Array.of(0, 0, 9),
        );
      }),
      "of AMF3 arrays that each hold the one before twice": data((size) => {
        const count = size / 16;
        const arrays = Array.from(
          { length: count },
          (_, index) => index === 0 ? [9, 1, 1] : [9, 5, 1, 9, ...u29(index << 1), 9, ...u29(index << 1)],
        );
        return Uint8Array.from([
          ...NAME,
          3,
          0,
          1,
          0x61,
          17,
          9,
          ...u29((count << 1) | 1),
          1,
          ...arrays.flat(),
          0,
          0,
          9,
        ]);
      }),
      "that is not metadata": data((size) => fillBytes([2, 0, 1, 0x61], size)),
    },
  },
]);

function u29(value: number): number[] {
  return value < 0x80
    ? [value]
    : value < 0x4000
    ? [(value >> 7) | 0x80, value & 0x7f]
    : [(value >> 14) | 0x80, (value >> 7) | 0x80, value & 0x7f];
}
