import { RtmpError, type RtmpErrorCode } from "../base/errors.ts";
import { admitAccess } from "./admit_access.ts";
import { drainingError } from "./draining.ts";
import { isNode } from "./peer_node.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { PlayDecision, StreamRequest } from "./stream_router.ts";

/** Refusals that say nothing of another name. */
const OF_THIS_NAME: ReadonlySet<RtmpErrorCode> = new Set([
  "stream-not-found",
  "access-denied",
  "credentials-required",
]);

/** What a play came to, and under which of its names. */
export interface AdmittedPlay {
  readonly request: StreamRequest;
  readonly decision: PlayDecision;
}

/**
 * Lets a play in: under the first of its names that is fed here, else the first that the client may play and for which the router knows
 * a place.
 *
 * @param requests One for each name that the client may mean, the one that it said first.
 * @throws {RtmpError} The refusal of the first one.
 */
export async function admitPlay(
  runtime: ServerRuntime,
  requests: readonly StreamRequest[],
): Promise<AdmittedPlay> {
  const { hub, options: { router } } = runtime;
  if (runtime.isDraining) return await admitWhileDraining(runtime, requests);
  const fed = requests.find(({ key }) => hub.get(key)?.feed !== undefined);
  let refusal: RtmpError | undefined;
  for (const request of fed === undefined ? requests : [fed]) {
    try {
      return { request, decision: await admit(runtime, request, () => router.admitPlay(request)) };
    } catch (error) {
      // Access and place are asked of each name by itself: who may play one of them may not mean the one that is refused.
      if (!(error instanceof RtmpError) || !OF_THIS_NAME.has(error.code)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new TypeError("Cannot admit a play of no name");
}

/** Asks whether a client may play, then `decide` how; what it holds by then is given back when it leaves, or at once when it is sent elsewhere. */
async function admit(
  runtime: ServerRuntime,
  request: StreamRequest,
  decide: () => PlayDecision | Promise<PlayDecision>,
): Promise<PlayDecision> {
  const leave = await admitAccess(runtime, "play", request);
  try {
    const decision = await decide();
    if (decision.kind === "local") {
      return {
        ...decision,
        release: () => {
          decision.release();
          leave();
        },
      };
    }
    leave();
    runtime.redirects.count({ kind: decision.kind });
    return decision;
  } catch (error) {
    leave();
    throw error;
  }
}

/** A server that is about to stop sends players elsewhere. What is published here is nowhere else yet: other nodes still get it. */
async function admitWhileDraining(
  runtime: ServerRuntime,
  requests: readonly StreamRequest[],
): Promise<AdmittedPlay> {
  const { hub, options: { router } } = runtime;
  const [first] = requests as readonly [StreamRequest];
  const elsewhere = router.elsewhere?.(first, "play");
  if (elsewhere !== undefined) {
    return {
      request: first,
      decision: await admit(runtime, first, () => elsewhere),
    };
  }
  const published = requests.find(({ key }) => hub.get(key)?.feed?.kind === "publish");
  if (published === undefined || !isNode(published.connect)) throw drainingError(`play '${first.key}'`);
  return { request: published, decision: await admit(runtime, published, () => router.admitPlay(published)) };
}
