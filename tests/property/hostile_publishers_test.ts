import assert from "node:assert/strict";
import { Amf0Date, Amf0Object, type Amf0Value, decodeAmf0, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { decodeAmf3 } from "../../lib/wire/amf3_decoder.ts";
import { encodeAmf3 } from "../../lib/wire/amf3_encoder.ts";
import type { LiveStream } from "../../lib/hub/live_stream.ts";
import type { PlayerCursor } from "../../lib/hub/player_cursor.ts";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32 } from "../../lib/wire/control.ts";
import { flvHeader, FlvReader } from "../../lib/wire/flv.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { heldBytes } from "../fakes/memory.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { isRefused, SessionServer } from "../fakes/session_server.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { forgeAmf3 } from "./amf3_grammar.ts";
import { forgeMessage } from "./message_grammar.ts";
import { casesOf, Random, SEED_TEXT } from "./random.ts";

const CASES = casesOf(20_000, 7000);
const MAX_MESSAGES = 12;
const CHUNK_SIZE = 1 << 20;
const AMF3_CASES = 50_000;
const WIDE = { ...DEFAULT_WIRE_LIMITS, maxAmfProperties: 1_000_000 };

const BEGINNING = joinBytes(
  Uint8Array.of(3),
  new Uint8Array(HANDSHAKE_BYTES - 1),
  chunks(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(CHUNK_SIZE), 0, 128),
  command(0, "connect", 1, Amf0Object.from({ app: "live", tcUrl: "rtmp://h/live" })),
  command(0, "createStream", 2, null),
  command(1, "publish", 3, null, "a"),
);

function chunks(
  typeId: number,
  timestamp: number,
  payload: Uint8Array,
  messageStreamId = 1,
  chunkSize = CHUNK_SIZE,
): Uint8Array {
  return encodeChunks(
    { typeId, timestamp, messageStreamId, chunkStreamId: 3 + (typeId & 3) },
    payload,
    chunkSize,
  );
}

function command(
  messageStreamId: number,
  name: string,
  transactionId: number,
  ...values: Amf0Value[]
): Uint8Array {
  const [object, ...rest] = values;
  return chunks(
    MESSAGE_TYPE.command,
    0,
    encodeCommand(name, transactionId, object, ...rest),
    messageStreamId,
  );
}

interface Outcome {
  readonly isRefused: boolean;
  readonly messages: number;
  readonly metadata: number;
}

/** One publisher with a few forged messages, and players in both formats who read what comes of them. */
function runCase(index: number): Outcome {
  const random = new Random(index);
  const server = new SessionServer();
  const players = new Map<unknown, PlayerCheck>();
  server.onPlayerBytes = (cursor, bytes) => {
    const { name } = cursor.output.format;
    const check = players.get(cursor) ?? new PlayerCheck(name === "flv" ? "flv" : "rtmp");
    players.set(cursor, check);
    check.take(bytes);
  };
  let stream: LiveStream | undefined;
  let player: PlayerCursor | undefined;
  const refused = isRefused(() => {
    server.receive(BEGINNING);
    stream = server.hub.get("/live/a");
    player = stream?.subscribe("rtmp", { fromGop: true });
    let timestamp = random.pick([0, 0, 0, 0x7fff_fff0, 0xffff_fff0, random.below(0xffff_ffff)]);
    for (let count = random.below(MAX_MESSAGES); count >= 0; count--) {
      const { typeId, payload } = forgeMessage(random);
      timestamp = random.once(8) ? random.below(0xffff_ffff) : (timestamp + random.below(100)) >>> 0;
      server.receive(chunks(typeId, timestamp, payload, random.once(20) ? random.below(3) : 1));
      for (let bytes = player?.next(); bytes !== undefined; bytes = player?.next()) {
        if (player !== undefined) server.onPlayerBytes(player, bytes);
      }
    }
  });
  if (player !== undefined) stream?.unsubscribe(player);
  if (stream !== undefined) server.hub.release(stream);
  server.close();
  const checks = [...players.values()];
  return {
    isRefused: refused,
    messages: checks.reduce((sum, { messages }) => sum + messages, 0),
    metadata: checks.reduce((sum, { metadata }) => sum + metadata, 0),
  };
}

/** Reads what a player is given as strictly as programs do. */
class PlayerCheck {
  messages = 0;
  metadata = 0;
  readonly #reader: {
    push(bytes: Uint8Array): void;
    next(): { typeId: number; payload: Uint8Array } | undefined;
  };

  constructor(format: "rtmp" | "flv") {
    this.#reader = format === "flv" ? new FlvReader() : new ChunkReader();
    if (format === "flv") this.#reader.push(flvHeader(true, true));
    else this.#reader.push(chunks(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(60_000), 0, 128));
  }

  take(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      if (message.typeId === MESSAGE_TYPE.setChunkSize) continue;
      this.messages++;
      if (message.typeId !== MESSAGE_TYPE.data) continue;
      const [name, ...values] = decodeName(message.payload);
      assert.equal(typeof name, "string", "a data message without a name");
      if (name !== "onMetaData") continue;
      this.metadata++;
      for (const value of values) assertPlain(value, new Set());
    }
  }
}

/** The values of metadata; of other data, which is passed on as it came, the name alone. */
function decodeName(payload: Uint8Array): Amf0Value[] {
  const isMetadata = new TextDecoder().decode(payload.subarray(3, 13)) === "onMetaData";
  if (isMetadata) return decodeAmf0(payload);
  return payload[0] === 2 ? [""] : [undefined];
}

/** Fails for what ffprobe can't read in metadata. */
function assertPlain(value: Amf0Value, seen: Set<Amf0Value>): void {
  if (value === null || ["number", "boolean", "string"].includes(typeof value) || value instanceof Amf0Date) {
    return;
  }
  if (seen.has(value)) return;
  seen.add(value);
  if (Array.isArray(value)) return value.forEach((item) => assertPlain(item, seen));
  assert.ok(
    value instanceof Amf0Object && value.className === undefined,
    `metadata holds ${value?.constructor.name}`,
  );
  for (const item of value.entries.values()) assertPlain(item, seen);
}

Deno.test(`forged messages cost at most their connection, and players get what they can read (${SEED_TEXT})`, () => {
  let refused = 0;
  let messages = 0;
  let metadata = 0;
  let before = heldBytes();
  for (let index = 0; index < CASES; index++) {
    try {
      const outcome = runCase(index);
      if (outcome.isRefused) refused++;
      messages += outcome.messages;
      metadata += outcome.metadata;
    } catch (error) {
      throw new Error(`Case ${index} with ${SEED_TEXT} failed by a fault of ours: ${error}`, {
        cause: error,
      });
    }
    // By then all code has run, and what it keeps for ever is there.
    if (index === CASES / 10) before = heldBytes();
  }
  // Some are refused, but most of what comes is only odd, and reaches the players.
  assert.ok(refused > CASES / 100 && refused < CASES * 0.9, `${refused} refused`);
  assert.ok(messages > CASES * 3, `${messages} messages`);
  assert.ok(metadata > CASES / 20, `${metadata} of them metadata`);
  const grown = heldBytes().bytes - before.bytes;
  assert.ok(grown < before.toleranceBytes, `${CASES} cases left ${grown} bytes behind`);
});

Deno.test(`what decodeAmf3() gives for forged values is encoded and decoded to the same again (${SEED_TEXT})`, () => {
  let accepted = 0;
  for (let index = 0; index < AMF3_CASES; index++) {
    const bytes = forgeAmf3(new Random(index), 1 + index % 3);
    try {
      isRefused(() => {
        const values = decodeAmf3(bytes, WIDE);
        accepted++;
        const encoded = encodeAmf3(values);
        // Compared as bytes: values may hold cycles.
        assert.deepEqual(encodeAmf3(decodeAmf3(encoded, WIDE)), encoded);
        const inAmf0 = encodeAmf0(decodeAmf0(joinBytes(Uint8Array.of(17), bytes.subarray(0)), WIDE));
        assert.deepEqual(encodeAmf0(decodeAmf0(inAmf0, WIDE)), inAmf0);
      });
    } catch (error) {
      throw new Error(`Case ${index} with ${SEED_TEXT} failed by a fault of ours: ${error}`, {
        cause: error,
      });
    }
  }
  assert.ok(accepted > AMF3_CASES / 3, `${accepted} were accepted`);
});
