import { RtmpError } from "../base/errors.ts";

/** What a message stream does. *Pending*: the client has asked, and the session's owner has not answered yet. */
export type StreamState = "idle" | "publish pending" | "publishing" | "play pending" | "playing";

/** What happens to one: the client asks, the owner accepts, either ends it. */
export type StreamStep = "publish" | "accept publish" | "play" | "accept play" | "stop";

/** Where each step leads; those that are not named cannot be taken. A request takes the place of one that is pending. */
const NEXT: Readonly<Record<StreamState, Readonly<Partial<Record<StreamStep, StreamState>>>>> = {
  "idle": { "publish": "publish pending", "play": "play pending", "stop": "idle" },
  "publish pending": {
    "accept publish": "publishing",
    "publish": "publish pending",
    "play": "play pending",
    "stop": "idle",
  },
  "publishing": { "stop": "idle" },
  "play pending": {
    "accept play": "playing",
    "publish": "publish pending",
    "play": "play pending",
    "stop": "idle",
  },
  "playing": { "play": "play pending", "stop": "idle" },
};

/**
 * The state after a step on message stream `id`.
 *
 * @throws {RtmpError} `unexpected-command` when the client asks for what cannot be in this state.
 * @throws {TypeError} When the owner accepts what is not pending: a programmer's error.
 */
export function nextState(state: StreamState, step: StreamStep, id: number): StreamState {
  const next = NEXT[state][step];
  if (next !== undefined) return next;
  const text = `Cannot ${step} on message stream ${id}: it is ${state}`;
  throw step === "accept publish" || step === "accept play"
    ? new TypeError(text)
    : new RtmpError("unexpected-command", text);
}

/** Whether a stream in this state plays or publishes. */
export function isActive(state: StreamState): boolean {
  return state === "playing" || state === "publishing";
}
