import type { Clock } from "../base/clock.ts";
import type { Dial, UpstreamTraffic } from "../cluster/upstream_connection.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { StreamKeepers } from "./stream_keepers.ts";
import type { NodeIdentity } from "./upstream_identity.ts";

/** What a router needs that gets streams from other servers. */
export interface UpstreamRouterOptions {
  readonly runtime: () => ServerRuntime;
  readonly keepers: () => StreamKeepers;
  readonly identity: NodeIdentity;
  readonly dial: Dial;
  readonly clock: Clock;
  /** What is received from and sent to other servers for a vhost is added here. */
  readonly traffic: (vhost: string) => UpstreamTraffic;
}
