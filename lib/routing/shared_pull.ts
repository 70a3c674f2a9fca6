/**
 * What a router says of the clients that share a pull.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamPullOptions } from "../upstream/stream_pull.ts";
import type { UpstreamRouterOptions } from "./upstream_router_options.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { newId } from "../base/random_id.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import { isNode } from "../server/peer_node.ts";
import { routeOf, withoutVhost } from "./upstream_identity.ts";

/** The refusal of a play that has been here already. */
export function playLoop(key: string): RtmpError {
  return new RtmpError(
    "relay-loop",
    `Cannot play '${key}': the request has already passed through this node`,
  );
}

/** A mark for a pull, which nobody can guess. */
function newMark(randomBytes: RandomBytes): string {
  return newId(randomBytes) + newId(randomBytes);
}

/** What a play request says of its client, for a pull that is shared. */
export function askerOf({ address, connect }: Pick<StreamRequest, "address" | "connect">): PullAsker {
  return {
    parameters: withoutVhost(address.parameters),
    pageUrl: connect?.pageUrl ?? "",
    swfUrl: connect?.swfUrl ?? "",
    route: isNode(connect) ? routeOf(connect) : [],
  };
}

/** What the pulls of all routers have in common. */
export function pullOptions(
  { dial, clock, streams, pulls, traffic, randomBytes }: UpstreamRouterOptions,
  { vhost }: StreamRequest,
  stream: LiveStream,
): Pick<
  StreamPullOptions,
  "stream" | "dial" | "clock" | "traffic" | "id" | "mark" | "pace" | "pauseReading"
> {
  return {
    stream,
    dial,
    clock,
    traffic: traffic.of(vhost.name),
    id: newId(randomBytes),
    mark: newMark(randomBytes),
    pace: pulls.pace,
    pauseReading: (bytesPerSecond) => streams.pauseReading(stream, vhost.readPauseMs, bytesPerSecond),
  };
}
