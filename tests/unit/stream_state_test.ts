import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { nextState, type StreamState, type StreamStep } from "../../lib/session/stream_state.ts";
import { SessionPeer } from "../fakes/session_peer.ts";

const STEPS: readonly StreamStep[] = ["publish", "accept publish", "play", "accept play", "stop"];
/** Refused to the client. */
const REFUSED = "unexpected-command";
/** A fault of the session's owner. */
const FAULT = "TypeError";
const EXPECTED: Readonly<Record<StreamState, readonly string[]>> = {
  "idle": ["publish pending", FAULT, "play pending", FAULT, "idle"],
  "publish pending": ["publish pending", "publishing", "play pending", FAULT, "idle"],
  "publishing": [REFUSED, FAULT, REFUSED, FAULT, "idle"],
  "play pending": ["publish pending", FAULT, "play pending", "playing", "idle"],
  "playing": [REFUSED, FAULT, "play pending", FAULT, "idle"],
};

function outcome(state: StreamState, step: StreamStep): string {
  try {
    return nextState(state, step, 7);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.message, `Cannot ${step} on message stream 7: it is ${state}`);
    return error instanceof RtmpError ? error.code : error.name;
  }
}

for (const [state, expected] of Object.entries(EXPECTED) as [StreamState, readonly string[]][]) {
  Deno.test(`a message stream that is ${state}: where each step leads`, () => {
    assert.deepEqual(STEPS.map((step) => outcome(state, step)), expected);
  });
}

Deno.test("to accept what nobody has asked for is a fault of ours, told to nobody", () => {
  const idle = SessionPeer.connected();
  idle.command("createStream", 2);
  const playing = SessionPeer.connected();
  playing.command("play", 2, ["s"], 1);
  const pending = SessionPeer.connected();
  pending.isAccepting = false;
  pending.command("play", 2, ["s"], 1);
  const stopped = SessionPeer.connected();
  stopped.isAccepting = false;
  stopped.command("publish", 2, ["s"], 1);
  stopped.command("closeStream", 3, [], 1);
  for (const peer of [SessionPeer.connected(), idle, playing, pending, stopped]) {
    peer.answers();
    assert.throws(() => peer.session.acceptPublish(1), TypeError);
    if (peer !== pending) assert.throws(() => peer.session.acceptPlay(1, 60_000), TypeError);
    assert.deepEqual(peer.answers(), []);
    assert.deepEqual(peer.send(8, 1, Uint8Array.of(0xaf, 1)), [], "no media without a publish");
  }
  pending.session.acceptPlay(1, 60_000);
  assert.throws(() => pending.session.acceptPlay(1, 60_000), TypeError, "once");
});

Deno.test("a request takes the place of one that is pending", () => {
  const peer = SessionPeer.connected();
  peer.isAccepting = false;
  assert.equal(peer.command("play", 2, ["s"], 1)[0]?.kind, "play");
  assert.equal(peer.command("publish", 3, ["t"], 1)[0]?.kind, "publish");
  assert.throws(() => peer.session.acceptPlay(1, 60_000), TypeError);
  peer.session.acceptPublish(1);
  assert.equal(peer.send(8, 1, Uint8Array.of(0xaf, 1))[0]?.kind, "media");
});
