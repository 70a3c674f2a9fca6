import { RtmpError } from "../base/errors.ts";

/** `cluster.on_conflict`: the same stream published at two origins. */
export type ConflictPolicy = "reject" | "takeover";

/** One node's claim to a stream. */
export interface StreamClaim {
  /** Milliseconds since 1970, by that node's clock. */
  readonly publishedAtMs: number;
  readonly nodeId: string;
  readonly bootId: string;
}

/**
 * Which of two claims to a stream holds: the earlier one under `reject`, the later one under `takeover`; of the same moment, the one
 * whose node has the lesser id. Both nodes compare the same two claims as published, so they agree even where their clocks don't; a
 * clock that is wrong may only let another one win than came first. It takes the same policy on both nodes.
 *
 * @returns Whether `mine` holds.
 */
export function claimHolds(policy: ConflictPolicy, mine: StreamClaim, theirs: StreamClaim): boolean {
  if (mine.publishedAtMs !== theirs.publishedAtMs) {
    return (mine.publishedAtMs < theirs.publishedAtMs) === (policy === "reject");
  }
  return mine.nodeId === theirs.nodeId ? mine.bootId < theirs.bootId : mine.nodeId < theirs.nodeId;
}

/** Why a publisher that is live here has to end. */
export function lostClaimError(policy: ConflictPolicy, key: string, winner: string): RtmpError {
  return policy === "takeover"
    ? new RtmpError("taken-over", `Cannot continue publishing '${key}': it is now published at ${winner}`)
    : new RtmpError("stream-busy", `Cannot publish '${key}': ${winner} published it first`);
}

/** Why a publisher is not let in. */
export function busyError(key: string, owner: string): RtmpError {
  return new RtmpError("stream-busy", `Cannot publish '${key}': it is published at ${owner}`);
}
