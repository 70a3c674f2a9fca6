import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { flvHeader, FlvReader, type FlvTag, flvTagBytes, writeFlvTag } from "../../lib/wire/flv.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { cutEvery, joinBytes } from "../fakes/read_messages.ts";
import { damaged, forgeMessage } from "./message_grammar.ts";
import { Random, SEED_TEXT } from "./random.ts";

const CASES = 30_000;
const LIMITS = { ...DEFAULT_WIRE_LIMITS, maxMessageBytes: 20_000 };

function read(pieces: readonly Uint8Array[]): { tags: FlvTag[]; failure: string | undefined } {
  const reader = new FlvReader(LIMITS);
  const tags: FlvTag[] = [];
  try {
    for (const piece of pieces) {
      const buffer = piece.slice();
      reader.push(buffer);
      for (let tag = reader.next(); tag !== undefined; tag = reader.next()) tags.push(tag);
      buffer.fill(0xee);
    }
    return { tags, failure: undefined };
  } catch (error) {
    if (!(error instanceof RtmpError)) throw error;
    return { tags, failure: error.code };
  }
}

Deno.test(`an FLV stream is read as it was written, and the same or an RtmpError when it is damaged (${SEED_TEXT})`, () => {
  let failures = 0;
  for (let index = 0; index < CASES; index++) {
    const random = new Random(index);
    const tags = Array.from({ length: random.below(6) }, () => {
      const { typeId, payload } = forgeMessage(random);
      return { typeId: typeId & 0x1f, timestamp: random.below(0x7fff_ffff), payload };
    });
    const bytes = joinBytes(flvHeader(true, true), ...tags.map(written));
    try {
      assert.deepEqual(read(cutEvery(bytes, 1 + random.below(60))), { tags, failure: undefined });
      const changed = damaged(random, bytes);
      const whole = read([changed]);
      if (whole.failure !== undefined) failures++;
      assert.deepEqual(read(cutEvery(changed, 1 + random.below(60))), whole);
    } catch (error) {
      throw new Error(`Case ${index} with ${SEED_TEXT} failed: ${error}`, { cause: error });
    }
  }
  assert.ok(failures > CASES / 1000, `${failures} were refused`);
});

function written({ typeId, timestamp, payload }: FlvTag): Uint8Array {
  const bytes = new Uint8Array(flvTagBytes(payload.length));
  writeFlvTag(bytes, 0, typeId, timestamp, payload);
  return bytes;
}
