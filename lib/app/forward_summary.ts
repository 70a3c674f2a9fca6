import { splitStreamKey } from "../base/stream_address.ts";
import type { Forward } from "../forward/forward.ts";
import type { Forwards } from "../forward/forwards.ts";
import type { ForwardSummary, ServerTotals } from "../http/server_view.ts";

/** A forward as the API shows it. */
export function forwardSummary(forward: Forward): ForwardSummary {
  const { target, stream, state, stateSinceMs, sentBytes, retries, lastError } = forward;
  return {
    ...splitStreamKey(stream.key),
    to: target.name,
    url: target.shownUrl,
    state,
    stateSinceMs,
    sentBytes,
    retries,
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/** All forwards together; undefined where there never was one. */
export function forwardTotals(forwards: Forwards | undefined): ServerTotals["forwards"] {
  if (forwards === undefined) return undefined;
  const byState = { connecting: 0, forwarding: 0, waiting: 0 };
  for (const { state } of forwards.list()) byState[state]++;
  const { retries, sentBytes } = forwards.totals;
  const now = byState.connecting + byState.forwarding + byState.waiting;
  return now + retries + sentBytes === 0
    ? undefined
    : { byState, retriesTotal: retries, sentBytesTotal: sentBytes };
}
