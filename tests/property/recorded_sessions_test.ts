import assert from "node:assert/strict";
import { HANDSHAKE_BYTES, recordedSession, SESSION_NAMES } from "../fixtures/sessions.ts";
import { joinBytes, readMessages } from "../fakes/read_messages.ts";
import { heldBytes } from "../fakes/memory.ts";
import { isRefused, SessionServer } from "../fakes/session_server.ts";
import { casesOf, Random, SEED_TEXT } from "./random.ts";

const CASES = casesOf(100_000, 30_000);
/** How much of a session is used, in bytes behind the handshake: enough for every command and some media. */
const PREFIX_BYTES = 4000;
/** Every so many cases the handshake is mutated with the rest; its digests cost most of a case. */
const HANDSHAKE_EVERY = 20;

const sessions = SESSION_NAMES.map(recordedSession);
const dialogues = sessions.map((bytes) => bytes.slice(HANDSHAKE_BYTES, HANDSHAKE_BYTES + PREFIX_BYTES));
/** Where the first message, connect, ends: what is changed there mostly ends the session at once. */
const connectEnds = dialogues.map((bytes) => {
  let end = 0;
  while (readMessages([bytes.subarray(0, end)]).length === 0) end++;
  return end;
});
const plainHandshake = new Uint8Array(HANDSHAKE_BYTES);
plainHandshake[0] = 3;

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** A range that is mostly short, and mostly near the beginning, where the commands are. */
function range(bytes: Uint8Array, random: Random): [number, number] {
  const at = random.below(random.below(2) === 0 ? Math.min(bytes.length, 600) : bytes.length);
  return [at, Math.min(bytes.length, at + 1 + random.below(random.below(4) === 0 ? 400 : 8))];
}

const MUTATIONS: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const changed = bytes.slice();
    for (let i = random.below(4); i >= 0; i--) {
      const at = random.below(random.below(2) === 0 ? Math.min(bytes.length, 600) : bytes.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    }
    return changed;
  },
  function setBytes(bytes, random) {
    const changed = bytes.slice();
    const [from, to] = range(bytes, random);
    const values = [0, 0xff, 0x80, 0x7f, 1, 3, random.below(256)];
    changed.fill(values[random.below(values.length)] ?? 0, from, to);
    return changed;
  },
  function cutOut(bytes, random) {
    const [from, to] = range(bytes, random);
    return joinBytes(bytes.subarray(0, from), bytes.subarray(to));
  },
  function cutOff(bytes, random) {
    return bytes.slice(0, random.below(bytes.length));
  },
  function insertNoise(bytes, random) {
    const [at, end] = range(bytes, random);
    const noise = Uint8Array.from({ length: end - at }, () => random.below(256));
    return joinBytes(bytes.subarray(0, at), noise, bytes.subarray(at));
  },
  function duplicate(bytes, random) {
    const [from, to] = range(bytes, random);
    return joinBytes(bytes.subarray(0, to), bytes.subarray(from));
  },
  function moveAway(bytes, random) {
    const [from, to] = range(bytes, random);
    const at = random.below(bytes.length);
    const rest = joinBytes(bytes.subarray(0, from), bytes.subarray(to));
    return joinBytes(rest.subarray(0, at), bytes.subarray(from, to), rest.subarray(at));
  },
  function goOnWithAnother(bytes, random) {
    const other = dialogues[random.below(dialogues.length)] as Uint8Array;
    return joinBytes(
      bytes.subarray(0, random.below(bytes.length)),
      other.subarray(random.below(other.length)),
    );
  },
];

function runCase(index: number): { isRefused: boolean; events: number; media: number } {
  const random = new Random(index);
  const isWithHandshake = index % HANDSHAKE_EVERY === 0;
  const which = random.below(sessions.length);
  let bytes = isWithHandshake
    ? (sessions[which] as Uint8Array).subarray(0, HANDSHAKE_BYTES + 1000)
    : dialogues[which] as Uint8Array;
  const keep = isWithHandshake || random.below(4) === 0 ? 0 : connectEnds[which] ?? 0;
  const kept = bytes.subarray(0, keep);
  bytes = bytes.subarray(keep);
  for (let i = random.below(3); i >= 0 && bytes.length > 0; i--) {
    bytes = (MUTATIONS[random.below(MUTATIONS.length)] as Mutation)(bytes, random);
  }
  bytes = joinBytes(kept, bytes);
  const server = new SessionServer();
  const buffer = new Uint8Array(2048);
  const refused = isRefused(() => {
    if (!isWithHandshake) server.receive(plainHandshake);
    for (let at = 0; at < bytes.length;) {
      // The same memory for every piece, as the pump reads.
      const length = Math.min(
        bytes.length - at,
        1 + random.below(random.below(4) === 0 ? 20 : buffer.length),
      );
      buffer.set(bytes.subarray(at, at + length));
      server.receive(buffer.subarray(0, length));
      at += length;
    }
  });
  server.close();
  return { isRefused: refused, events: server.events, media: server.media };
}

Deno.test(`recorded sessions cut and mutated cost at most their connection, and leave no memory behind (${SEED_TEXT})`, () => {
  let refused = 0;
  let media = 0;
  let silent = 0;
  let before = heldBytes();
  for (let index = 0; index < CASES; index++) {
    try {
      const outcome = runCase(index);
      if (outcome.isRefused) refused++;
      if (outcome.events === 0) silent++;
      media += outcome.media;
    } catch (error) {
      throw new Error(`Case ${index} with ${SEED_TEXT} failed by a fault of ours`, { cause: error });
    }
    // By then all code has run, and what it keeps for ever is there.
    if (index === CASES / 10) before = heldBytes();
  }
  // The cases are of all kinds: some go through, some are refused, most get as far as media.
  assert.ok(refused > CASES / 5 && refused < CASES, `${refused} refused`);
  assert.ok(silent < CASES / 4, `${silent} without an event`);
  assert.ok(media > CASES, `${media} media messages`);
  const grown = heldBytes().bytes - before.bytes;
  assert.ok(grown < before.toleranceBytes, `${CASES} cases left ${grown} bytes behind`);
});

Deno.test("a recorded session cut off at every byte leaves nothing behind", () => {
  for (
    const bytes of [
      recordedSession("ffmpeg_publish").subarray(0, HANDSHAKE_BYTES + 1500),
      ...dialogues.slice(1, 3),
    ]
  ) {
    const isWhole = bytes.length > PREFIX_BYTES;
    for (let length = 0; length <= bytes.length; length++) {
      const server = new SessionServer();
      if (!isWhole) server.receive(plainHandshake);
      server.receive(bytes.slice(0, length));
      server.close();
    }
  }
});
