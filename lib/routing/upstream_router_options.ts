import type { Clock } from "../base/clock.ts";
import type { UpstreamTraffic } from "../base/upstream_traffic.ts";
import type { Dial } from "../upstream/upstream_connection.ts";
import type { ServerRuntime } from "../server/server_runtime.ts";
import type { StreamKeepers } from "./shared_pulls.ts";
import type { UpstreamIdentity } from "./upstream_identity.ts";

/** What a router needs that gets streams from other servers. */
export interface UpstreamRouterOptions {
  readonly runtime: () => ServerRuntime;
  readonly keepers: () => StreamKeepers;
  readonly identity: UpstreamIdentity;
  readonly dial: Dial;
  readonly clock: Clock;
  /** What is received from and sent to other servers for a vhost is added here. */
  readonly traffic: (vhost: string) => UpstreamTraffic;
}
