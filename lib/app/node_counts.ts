import type { HookEvents } from "../access/hooks.ts";
import type { NodeCounts } from "../http/metrics/node_counts.ts";
import type { ConnectionLimits } from "../net/connection_limits.ts";
import type { Recordings } from "../outputs/recording/recordings.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import type { LoopLag } from "./loop_lag.ts";
import type { NodeRouting } from "./node_routing.ts";
import { recordingTotals } from "./recording_summary.ts";
import type { ReloadCounts } from "./reload_counts.ts";

/** The parts of a node that count. */
export interface CountingParts {
  readonly server: RtmpServer;
  readonly routing: NodeRouting;
  readonly recordings: Recordings;
  readonly hooks: HookEvents;
  readonly connections: ConnectionLimits;
  readonly loopLag: LoopLag;
  readonly reloads: ReloadCounts;
}

/** What the metrics tell of a node, read now. */
export function nodeCounts(parts: CountingParts): NodeCounts {
  const { server: { clients, runtime }, routing, recordings, hooks, connections, loopLag, reloads } = parts;
  const playersByProtocol: Record<string, number> = { "rtmp": 0, "http-flv": 0, "ws-flv": 0 };
  let publishers = 0;
  for (const { type, protocol } of clients.active()) {
    if (type.endsWith("-publish")) publishers++;
    else playersByProtocol[protocol] = (playersByProtocol[protocol] ?? 0) + 1;
  }
  let live = 0;
  for (const { feed } of runtime.hub.values()) if (feed !== undefined) live++;
  let received = 0;
  let sent = 0;
  for (const [, traffic] of routing.traffic.entries()) {
    received += traffic.receivedBytes;
    sent += traffic.sentBytes;
  }
  return {
    connectionsLimit: connections.max,
    publishers,
    playersByProtocol,
    streamsByState: { live, waiting: runtime.hub.size - live },
    serverBytes: { received, sent },
    redirectsTotal: runtime.redirects.samples,
    joinSeconds: runtime.joins.read(),
    recordings: recordingTotals(recordings),
    hookSeconds: hooks.seconds.read(),
    loopLagSeconds: loopLag.read(),
    ...routing.counts,
    ...reloads.read(),
  };
}
