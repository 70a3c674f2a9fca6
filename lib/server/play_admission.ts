import { RtmpError } from "../base/errors.ts";
import { drainingError } from "./draining.ts";
import { isNode } from "./peer_node.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { PlayDecision, StreamRequest } from "./stream_router.ts";

/** What a play came to, and under which of its names. */
export interface AdmittedPlay {
  readonly request: StreamRequest;
  readonly decision: PlayDecision;
}

/**
 * Lets a play in: under the first of its names that is fed here, else the first for which the router knows a place.
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
      return { request, decision: await router.admitPlay(request) };
    } catch (error) {
      if (!(error instanceof RtmpError) || error.code !== "stream-not-found") throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new TypeError("Cannot admit a play of no name");
}

/** A server that is about to stop sends players elsewhere. What is published here is nowhere else yet: other nodes still get it. */
async function admitWhileDraining(
  { hub, options: { router } }: ServerRuntime,
  requests: readonly StreamRequest[],
): Promise<AdmittedPlay> {
  const [first] = requests as readonly [StreamRequest];
  const elsewhere = router.elsewhere?.(first, "play");
  if (elsewhere !== undefined) return { request: first, decision: elsewhere };
  const published = requests.find(({ key }) => hub.get(key)?.feed?.kind === "publish");
  if (published === undefined || !isNode(published.connect)) throw drainingError(`play '${first.key}'`);
  return { request: published, decision: await router.admitPlay(published) };
}
