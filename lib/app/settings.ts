import { DEFAULT_VHOST } from "../base/stream_address.ts";
import { parseServer } from "../cluster/upstream_target.ts";
import type { EdgeSettings } from "../server/edge_router.ts";
import type { ServerLimits } from "../server/server_runtime.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config, VhostConfig } from "./config.ts";
import { VERSION } from "./version.ts";

const DEFAULT_RTMP_PORT = 1935;

/** What the program calls itself in metadata and headers. */
export const SIGNATURE: string = `Headwater/${VERSION}`;

/** The limits of a configuration, as the server takes them. */
export function serverLimits(config: Config): ServerLimits {
  const { limits } = config;
  return {
    wire: {
      maxMessageBytes: limits.message_max_bytes,
      maxChunkStreams: limits.chunk_streams_max,
      maxBufferedBytes: limits.buffered_max_bytes,
      maxAmfDepth: limits.amf_depth_max,
      maxAmfStringBytes: limits.amf_string_max_bytes,
      maxAmfProperties: limits.amf_properties_max,
    },
    handshakeTimeoutMs: limits.handshake_timeout_ms,
    sendTimeoutMs: limits.send_timeout_ms,
    streamKeyMaxBytes: limits.stream_key_max_bytes,
    maxConnections: config.max_connections,
    maxConnectionsPerIp: config.max_connections_per_ip,
  };
}

/** The settings of every enabled vhost by name. */
export function vhostSettings(config: Config): Map<string, VhostSettings> {
  const settings = new Map<string, VhostSettings>();
  for (const [name, vhost] of Object.entries(config.vhost)) {
    if (vhost.enabled) settings.set(name, oneVhost(name, vhost, config));
  }
  return settings;
}

/** The edge part of a vhost, as configured now; undefined for one that is no edge. */
export function edgeSettings(config: Config, name: string): EdgeSettings | undefined {
  const cluster = config.vhost[name]?.cluster;
  if (cluster === undefined || cluster.mode !== "remote") return undefined;
  return {
    origins: cluster.origin.map((origin) => parseServer(origin, DEFAULT_RTMP_PORT)),
    vhostTemplate: cluster.vhost,
    tokenTraverse: cluster.token_traverse,
    debugUpnode: cluster.debug_srs_upnode,
    lingerMs: cluster.linger_ms,
    streamWaitMs: cluster.stream_wait_ms,
  };
}

/** Finds a vhost by exact name, else the default one. */
export function findVhost<T>(vhosts: ReadonlyMap<string, T>, name: string): T | undefined {
  return vhosts.get(name) ?? vhosts.get(DEFAULT_VHOST);
}

function oneVhost(name: string, vhost: VhostConfig, config: Config): VhostSettings {
  const { play, publish } = vhost;
  const withoutLatency = (value: number | "auto") => value === "auto" && vhost.min_latency ? 0 : value;
  return {
    name,
    stream: {
      chunkSize: vhost.chunk_size || config.chunk_size,
      gopCache: play.gop_cache,
      gopCacheMaxFrames: play.gop_cache_max_frames,
      gopCacheMaxBytes: config.limits.gop_cache_max_bytes,
      queueLengthMs: play.queue_length * 1000,
      gatherMs: withoutLatency(play.mw_latency),
      metadata: play.metadata,
      sequenceHeaders: play.sequence_headers,
      server: SIGNATURE,
      limits: serverLimits(config).wire,
    },
    inAckSize: vhost.in_ack_size,
    outAckSize: vhost.out_ack_size,
    firstPacketTimeoutMs: publish.firstpkt_timeout,
    normalTimeoutMs: publish.normal_timeout,
    idlePublisherTimeoutMs: publish.kickoff_for_idle * 1000,
    readPauseMs: withoutLatency(publish.mr_latency),
  };
}
