import type { TrafficByVhost } from "../base/upstream_traffic.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";

/** What the clients of a vhost are, and what was received and sent for it, from and to its clients and other servers. */
export interface VhostTraffic {
  /** Since the start. */
  receiveBytes: number;
  sendBytes: number;
  /** Now. */
  clients: number;
  /** Of these clients. */
  readonly streams: Set<LiveStream>;
}

/** The traffic of each vhost that had any, in one pass over the connections. */
export function trafficByVhost(
  server: RtmpServer,
  upstreams: TrafficByVhost,
): ReadonlyMap<string, VhostTraffic> {
  const all = new Map<string, VhostTraffic>();
  const of = (name: string): VhostTraffic => {
    const known = all.get(name);
    if (known !== undefined) return known;
    const traffic = { receiveBytes: 0, sendBytes: 0, clients: 0, streams: new Set<LiveStream>() };
    all.set(name, traffic);
    return traffic;
  };
  for (const [name, { receiveBytes, sendBytes }] of server.runtime.counters.closedByVhost) {
    const traffic = of(name);
    traffic.receiveBytes += receiveBytes;
    traffic.sendBytes += sendBytes;
  }
  for (const [name, { receivedBytes, sentBytes }] of upstreams.entries()) {
    const traffic = of(name);
    traffic.receiveBytes += receivedBytes;
    traffic.sendBytes += sentBytes;
  }
  for (const { vhost, stream, receiveBytes, sendBytes } of server.clients.open()) {
    if (vhost === undefined) continue;
    const traffic = of(vhost.name);
    traffic.receiveBytes += receiveBytes;
    traffic.sendBytes += sendBytes;
    if (stream === undefined) continue;
    traffic.clients++;
    traffic.streams.add(stream);
  }
  return all;
}
