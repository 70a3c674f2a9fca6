import assert from "node:assert/strict";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { ConfiguredKey } from "../../lib/access/token_keys.ts";
import { Tokens } from "../../lib/access/tokens.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { SECRET, signToken } from "../fakes/signed_token.ts";
import { Random, SEED_TEXT } from "./random.ts";

const CASES = 1500;
const LETTERS = 'abcXYZ019-_.=+/ %&;?,#{}"\\\u0000é';

/** A token that one byte or some were changed, added to or taken from. */
function damaged(random: Random, token: string): string {
  const at = random.below(token.length);
  const letters = Array.from(
    { length: 1 + random.below(3) },
    () => LETTERS[random.below(LETTERS.length)] ?? "",
  );
  return token.slice(0, at) + (random.below(3) > 0 ? letters.join("") : "") +
    token.slice(at + random.below(3));
}

Deno.test(`a token that is damaged lets nobody in who could not read the whole of it, and says nothing of it (${SEED_TEXT})`, async () => {
  const check = new Tokens({
    actions: ["publish"],
    parameter: "token",
    keys: ConfiguredKey.ofSecret(SECRET),
    wallNow: Date.now,
  });
  const token = await signToken();
  for (let index = 0; index < CASES; index++) {
    const random = new Random(index);
    const sent = damaged(random, token);
    const parameters = `?token=${sent}`;
    const request = {
      action: "publish",
      app: "live",
      stream: "cam1",
      streamKey: "/live/cam1",
      ip: "10.0.0.1",
    };
    try {
      await check.check({ ...request, vhost: "v", parameters } as AccessRequest);
      // What ends a parameter, or pads a token, is not a part of it.
      const [read] = /^[^&;,?#]*/.exec(sent) ?? [""];
      const spelt = read.trim().replace(/[= ]+$/, "");
      // Of the last character two bits count for nothing.
      assert.equal(spelt.slice(0, -1), token.slice(0, -1), `seed ${index}: ${sent}`);
      assert.equal(spelt.length, token.length);
    } catch (error) {
      assert.ok(error instanceof AccessRefusal, `seed ${index}: ${error}`);
      assert.ok(!error.message.includes(token.slice(30, 60)), error.message);
    }
  }
  assert.equal(parseStreamAddress("rtmp://h/live", `cam1?token=${token}`).parameters, `?token=${token}`);
});
