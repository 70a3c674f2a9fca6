/**
 * What a router says of the clients that share a pull.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { TrafficByVhost } from "../base/upstream_traffic.ts";
import type { StreamRounds } from "../server/stream_rounds.ts";
import type { Dial, UpstreamSession } from "../upstream/upstream_connection.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import type { SharedPulls } from "./shared_pulls.ts";
import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamPullOptions } from "../upstream/stream_pull.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { newId } from "../base/random_id.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import { isNode } from "../server/peer_node.ts";
import { routeOf, type UpstreamIdentity, withoutVhost } from "./upstream_identity.ts";

/** What a router needs that gets streams from other servers. */
export interface UpstreamRouterOptions {
  readonly streams: StreamRounds;
  readonly pulls: SharedPulls;
  readonly identity: UpstreamIdentity;
  readonly dial: Dial;
  readonly clock: Clock;
  /** As configured now. */
  readonly limits: () => WireLimits;
  readonly randomBytes: RandomBytes;
  /** What this node says of its clients in a vhost, to other nodes of the cluster; undefined: nothing. */
  readonly vouch: (vhost: string, action: "publish" | "play") => UpstreamSession["vouch"];
  /** What is received from and sent to other servers is added here. */
  readonly traffic: TrafficByVhost;
}

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
