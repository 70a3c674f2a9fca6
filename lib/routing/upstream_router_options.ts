import type { Clock } from "../base/clock.ts";
import type { TrafficByVhost } from "../base/upstream_traffic.ts";
import type { StreamRounds } from "../server/stream_rounds.ts";
import type { Dial, UpstreamSession } from "../upstream/upstream_connection.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import type { SharedPulls } from "./shared_pulls.ts";
import type { UpstreamIdentity } from "./upstream_identity.ts";

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
