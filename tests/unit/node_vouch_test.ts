import assert from "node:assert/strict";
import { readVouch, signVouch } from "../../lib/base/node_vouch.ts";

const SECRET = "a secret of the cluster";
const CHALLENGE = Uint8Array.from({ length: 32 }, (_, i) => i);
const CHECKS = ["security", "tokens", "http_hooks"];
const VOUCH = signVouch(SECRET, CHALLENGE, { action: "play", checks: CHECKS });

Deno.test("what a node vouches for is believed by who knows the secret, on this connection, for this action", () => {
  assert.match(VOUCH, /^security,tokens,http_hooks:[0-9a-f]{64}$/);
  assert.deepEqual(readVouch(SECRET, CHALLENGE, "play", VOUCH), CHECKS);
});

const OTHERS: Readonly<Record<string, readonly string[]>> = {
  "another secret": readVouch("another", CHALLENGE, "play", VOUCH),
  "no secret": readVouch("", CHALLENGE, "play", signVouch("", CHALLENGE, { action: "play", checks: CHECKS })),
  "another connection": readVouch(SECRET, CHALLENGE.map((byte) => byte + 1), "play", VOUCH),
  "a connection without a challenge": readVouch(
    SECRET,
    new Uint8Array(0),
    "play",
    signVouch(SECRET, new Uint8Array(0), { action: "play", checks: CHECKS }),
  ),
  "another action": readVouch(SECRET, CHALLENGE, "publish", VOUCH),
  "more checks": readVouch(SECRET, CHALLENGE, "play", VOUCH.replace(":", ",refer:")),
  "fewer checks": readVouch(SECRET, CHALLENGE, "play", VOUCH.replace("tokens,", "")),
  "no signature": readVouch(SECRET, CHALLENGE, "play", "security"),
  "an empty signature": readVouch(SECRET, CHALLENGE, "play", "security:"),
  "a longer signature": readVouch(SECRET, CHALLENGE, "play", `${VOUCH}00`),
  "nothing": readVouch(SECRET, CHALLENGE, "play", ""),
  "a long text": readVouch(SECRET, CHALLENGE, "play", "a,".repeat(1_000_000)),
};

for (const [name, checks] of Object.entries(OTHERS)) {
  Deno.test(`what a node vouches for is not believed: ${name}`, () => assert.deepEqual(checks, []));
}
