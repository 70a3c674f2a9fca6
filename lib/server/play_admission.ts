import { RtmpError } from "../base/errors.ts";
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
