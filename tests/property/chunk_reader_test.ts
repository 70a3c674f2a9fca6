import assert from "node:assert/strict";
import fc from "fast-check";
import { RtmpError } from "../../lib/base/errors.ts";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { toHex } from "../golden/hex.ts";
import { readMessages } from "../fakes/read_messages.ts";
import { type PlannedMessage, plannedMessage, PlannedWriter } from "./chunk_arbitraries.ts";
import { SEED, SEED_TEXT } from "./random.ts";

fc.configureGlobal({ seed: SEED | 0 });

/** Groups of messages on different chunk streams, written side by side, with a chunk size for each group. */
const dialogue = fc.array(
  fc.record({
    chunkSize: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined, freq: 3 }),
    messages: fc.uniqueArray(plannedMessage, {
      minLength: 1,
      maxLength: 3,
      selector: (m) => m.chunkStreamId,
    }),
  }),
  { maxLength: 6 },
);

/** A dialogue as bytes, and the messages in it by chunk stream. Types that change how the rest is read are left out. */
function write(
  groups: typeof dialogue extends fc.Arbitrary<infer T> ? T : never,
  choices: fc.Stream<number>,
): { bytes: Uint8Array; messages: PlannedMessage[] } {
  const writer = new PlannedWriter((ways) => (choices.next().value as number) % ways);
  const messages: PlannedMessage[] = [];
  for (const group of groups) {
    if (group.chunkSize !== undefined) writer.setChunkSize(group.chunkSize);
    const plain = group.messages.filter(({ typeId }) => typeId > 2);
    writer.interleave(plain);
    messages.push(...plain);
  }
  return { bytes: writer.bytes, messages };
}

const choices = fc.infiniteStream(fc.nat());

function byStream(messages: readonly PlannedMessage[]): Map<number, unknown[]> {
  const streams = new Map<number, unknown[]>();
  for (const { chunkStreamId, typeId, timestamp, messageStreamId, payload } of messages) {
    const list = streams.get(chunkStreamId) ?? [];
    list.push([typeId, timestamp, messageStreamId, toHex(payload)]);
    streams.set(chunkStreamId, list);
  }
  return streams;
}

Deno.test(`ChunkReader gives back what any writer wrote (${SEED_TEXT})`, () => {
  fc.assert(
    fc.property(dialogue, choices, (groups, ways) => {
      const { bytes, messages } = write(groups, ways);
      const reader = new ChunkReader();
      const read = readMessages([bytes], undefined, reader).filter(({ typeId }) => typeId !== 1);
      assert.deepEqual(byStream(read), byStream(messages));
      assert.equal(reader.bufferedBytes, 0);
    }),
    { numRuns: 2000 },
  );
});

Deno.test(`ChunkReader gives the same messages however the bytes are split (${SEED_TEXT})`, () => {
  fc.assert(
    fc.property(dialogue, choices, fc.array(fc.integer({ min: 1, max: 200 })), (groups, ways, sizes) => {
      const { bytes } = write(groups, ways);
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const size of sizes) {
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      pieces.push(bytes.subarray(at));
      assert.deepEqual(readMessages(pieces), readMessages([bytes]));
    }),
    { numRuns: 2000 },
  );
});

/** Changes to bytes: [where, how, with what], where as a share of the length. */
const mutations = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom("set", "flip", "cut", "insert"),
    fc.nat(255),
  ),
  { minLength: 1, maxLength: 4 },
);

function mutate(bytes: Uint8Array, changes: readonly [number, string, number][]): Uint8Array {
  const changed = [...bytes];
  for (const [where, how, value] of changes) {
    const at = Math.floor(where * changed.length);
    if (how === "set") changed[at] = value;
    else if (how === "flip") changed[at] = (changed[at] ?? 0) ^ (1 << (value & 7));
    else if (how === "cut") changed.splice(at, value & 15);
    else changed.splice(at, 0, value, value >>> 4);
  }
  return Uint8Array.from(changed);
}

Deno.test(`ChunkReader gives messages or an RtmpError for bytes that are nearly right, the same however they are split (${SEED_TEXT})`, () => {
  const limits = {
    ...DEFAULT_WIRE_LIMITS,
    maxBufferedBytes: 100_000,
    maxMessageBytes: 50_000,
    maxChunkStreams: 8,
  };
  const outcome = (pieces: Uint8Array[]) => {
    const reader = new ChunkReader(limits);
    const messages: unknown[] = [];
    let failure: string | undefined;
    try {
      for (const piece of pieces) {
        reader.push(piece);
        for (let message = reader.next(); message !== undefined; message = reader.next()) {
          messages.push({ ...message, payload: message.payload.slice() });
        }
        assert.ok(reader.bufferedBytes <= limits.maxBufferedBytes);
      }
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      failure = error.code;
    }
    return { messages, failure };
  };
  let failures = 0;
  fc.assert(
    fc.property(
      dialogue,
      choices,
      mutations,
      fc.integer({ min: 1, max: 50 }),
      (groups, ways, changes, size) => {
        const bytes = mutate(write(groups, ways).bytes, changes as [number, string, number][]);
        const whole = outcome([bytes]);
        if (whole.failure !== undefined) failures++;
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
        assert.deepEqual(outcome(pieces), whole);
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(failures > 500, `${failures} of the cases were refused`);
});
