import fc from "fast-check";
import { encodeAmf0 } from "../../lib/wire/amf0.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";

/** A message to be written as chunks. */
export interface PlannedMessage {
  readonly chunkStreamId: number;
  readonly typeId: number;
  readonly timestamp: number;
  readonly messageStreamId: number;
  readonly payload: Uint8Array;
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const chunkStreamId = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 3, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom(2, 63, 64, 319, 320, 65_599) },
);

const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.constantFrom(0, 0xfffffe, 0xffffff, 0x1000000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xffffffff),
);

/** Types that mean something to the reader or the session, and payloads that are nearly right. */
const body = fc.oneof(
  { weight: 6, arbitrary: fc.record({ typeId: fc.constantFrom(8, 9), payload: bytes(400) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      typeId: fc.constant(9),
      payload: fc.tuple(fc.constantFrom(0x17, 0x27, 0x90, 0x91, 0xa3, 0x96, 0x97, 0x1c), bytes(40))
        .map(([first, rest]) => Uint8Array.of(first, ...rest)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      typeId: fc.constant(8),
      payload: fc.tuple(fc.constantFrom(0xaf, 0x2f, 0x90, 0x91, 0x95, 0x97), bytes(40))
        .map(([first, rest]) => Uint8Array.of(first, ...rest)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      typeId: fc.constantFrom(2, 3, 5),
      payload: fc.integer({ min: 0, max: 70_000 }).map(encodeUint32),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      typeId: fc.constant(4),
      payload: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.nat()).map(([event, value]) =>
        encodeUserControl(event, value)
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      typeId: fc.constantFrom(20, 17),
      payload: fc.tuple(
        fc.constantFrom(
          "connect",
          "createStream",
          "releaseStream",
          "FCPublish",
          "publish",
          "play",
          "pause",
          "closeStream",
          "deleteStream",
          "FCUnpublish",
          "receiveAudio",
          "seek",
          "_result",
          "x",
        ),
        fc.integer({ min: 0, max: 9 }),
        fc.array(
          fc.oneof(fc.constantFrom(null, undefined, true, false, "s", ""), fc.integer({ min: -2, max: 99 })),
          {
            maxLength: 4,
          },
        ),
        fc.boolean(),
      ).map(([name, transactionId, values, hasObject]) =>
        encodeCommand(
          name,
          transactionId,
          hasObject ? Amf0Object.from({ tcUrl: "rtmp://h/live", app: "live" }) : null,
          ...values,
        )
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      typeId: fc.constantFrom(18, 15),
      payload: fc.tuple(fc.constantFrom("@setDataFrame", "onMetaData", "onCuePoint"), fc.nat()).map((
        [name, value],
      ) =>
        encodeAmf0(
          name === "@setDataFrame"
            ? [name, "onMetaData", Amf0Object.from({ value })]
            : [name, Amf0Object.from({ value })],
        )
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ typeId: fc.integer({ min: 1, max: 30 }), payload: bytes(60) }) },
);

/** Messages of a session, Set Chunk Size left out: the writer of the test plans its own. */
export const plannedMessage: fc.Arbitrary<PlannedMessage> = fc.record({
  chunkStreamId,
  timestamp,
  messageStreamId: fc.constantFrom(0, 1, 1, 1, 2, 0xffffffff),
  body,
}).map(({ body: { typeId, payload }, ...rest }) => ({ ...rest, typeId, payload }));

/**
 * Writes messages as chunks in the ways that real writers do: short headers where they can stand, extended times repeated or not,
 * ids of any length. `choose(n)` picks one of n ways.
 */
export class PlannedWriter {
  readonly #choose: (ways: number) => number;
  readonly #streams = new Map<
    number,
    { timestamp: number; delta: number; length: number; typeId: number; sid: number }
  >();
  readonly #out: number[] = [];
  chunkSize = 128;

  constructor(choose: (ways: number) => number) {
    this.#choose = choose;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#out);
  }

  setChunkSize(size: number): void {
    this.#write({
      chunkStreamId: 2,
      typeId: 1,
      timestamp: 0,
      messageStreamId: 0,
      payload: encodeUint32(size),
    });
    this.chunkSize = size;
  }

  /** Writes messages of different chunk streams side by side, a chunk of each in turn. */
  interleave(messages: readonly PlannedMessage[]): void {
    const running = messages.map((message) => this.#chunks(message));
    while (running.length > 0) {
      const index = this.#choose(running.length);
      if ((running[index] as Generator).next().done) running.splice(index, 1);
    }
  }

  #write(message: PlannedMessage): void {
    for (const _ of this.#chunks(message));
  }

  *#chunks(message: PlannedMessage): Generator<void> {
    const { chunkStreamId: id, timestamp, messageStreamId: sid, typeId, payload } = message;
    const known = this.#streams.get(id);
    const delta = known === undefined ? 0 : timestamp - known.timestamp;
    // What a shorter header says must be true; a time that goes back needs a full one.
    let format = 0;
    if (known !== undefined && known.sid === sid && delta >= 0) {
      const isSame = known.length === payload.length && known.typeId === typeId;
      const ways = isSame ? (known.delta === delta && delta < 0xffffff ? 4 : 3) : 2;
      format = this.#choose(ways);
    }
    const field = format === 0 ? timestamp : delta;
    const isExtended = format < 3 && field >= 0xffffff;
    this.#basicHeader(format, id);
    if (format < 3) this.#uint(Math.min(field, 0xffffff), 3);
    if (format < 2) {
      this.#uint(payload.length, 3);
      this.#out.push(typeId);
    }
    if (format === 0) this.#out.push(sid & 255, (sid >>> 8) & 255, (sid >>> 16) & 255, sid >>> 24);
    if (isExtended) this.#uint(field, 4);
    this.#streams.set(id, {
      timestamp,
      // Behind a full header the time itself is the delta; one that does not fit can never be meant.
      delta: isExtended ? -1 : format < 3 ? field : delta,
      length: payload.length,
      typeId,
      sid,
    });
    const size = this.chunkSize;
    this.#out.push(...payload.subarray(0, size));
    for (let at = size; at < payload.length; at += size) {
      yield;
      this.#basicHeader(3, id);
      // Most writers repeat it; what begins like it must not stand there for one that does not.
      if (isExtended) this.#uint(field, 4);
      this.#out.push(...payload.subarray(at, at + size));
    }
  }

  #basicHeader(format: number, id: number): void {
    const top = format << 6;
    if (id < 64) this.#out.push(top | id);
    else if (id < 320 && this.#choose(2) === 0) this.#out.push(top, id - 64);
    else this.#out.push(top | 1, (id - 64) & 255, (id - 64) >>> 8);
  }

  #uint(value: number, length: number): void {
    for (let i = length - 1; i >= 0; i--) this.#out.push(Math.floor(value / 2 ** (8 * i)) & 255);
  }
}
