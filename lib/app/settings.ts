import { DEFAULT_VHOST } from "../base/stream_address.ts";
import type { ClusterSettings, ClusterVhostSettings } from "../cluster/cluster_settings.ts";
import { parseOriginAddress } from "../base/host_port.ts";
import type { ApiCredentials } from "../http/middleware/credentials.ts";
import { parseForwardDestination, parseForwardUrl } from "../base/forward_url.ts";
import type { ForwardDestination } from "../forward/forward_target.ts";
import type { ForwardSettings } from "../forward/forwards.ts";
import type { RecordingSettings } from "../outputs/recording/recording_settings.ts";
import type { ServerLimits } from "../server/server_runtime.ts";
import type { VhostRole } from "../server/vhost_role.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config, VhostConfig } from "../config/config.ts";
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

/** What of a configuration concerns the HTTP API and the HTTP server, ports left out. */
export interface HttpSettings {
  readonly apiCrossdomain: boolean;
  readonly streamCrossdomain: boolean;
  /** The API's credentials; absent: anyone may use it. */
  readonly auth?: ApiCredentials;
}

/** What a configuration allows HTTP clients, on all ports. */
export function httpLimits(
  { limits }: Config,
): { readonly maxBodyBytes: number; readonly sendTimeoutMs: number } {
  return { maxBodyBytes: limits.http_body_max_bytes, sendTimeoutMs: limits.send_timeout_ms };
}

/** The HTTP settings of a configuration. */
export function httpSettings({ http_api: api, http_server: server }: Config): HttpSettings {
  const { enabled, username, password, token } = api.auth;
  const auth = {
    ...(username === "" ? {} : { basic: { username, password } }),
    ...(token === "" ? {} : { token }),
  };
  return {
    apiCrossdomain: api.crossdomain,
    streamCrossdomain: server.crossdomain,
    ...(enabled ? { auth } : {}),
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

/**
 * What of a configuration concerns the cluster.
 *
 * @param roles What `vhostSettings` made of it.
 * @param rtmpPort The port that RTMP is really on.
 */
export function clusterSettings(
  config: Config,
  roles: ReadonlyMap<string, VhostSettings>,
  rtmpPort: number | undefined,
  apiPort: number | undefined,
): ClusterSettings {
  const vhosts = new Map<string, ClusterVhostSettings>();
  for (const [name, { cluster }] of Object.entries(config.vhost)) {
    const role = roles.get(name)?.role;
    if (role === undefined) continue;
    vhosts.set(name, {
      isOriginCluster: role.kind === "cluster",
      coworkers: cluster.coworkers,
      advertise: cluster.advertise,
      pollIntervalMs: cluster.poll_interval_ms,
      queryTimeoutMs: cluster.query_timeout_ms,
      secret: cluster.secret,
      onConflict: cluster.on_conflict,
    });
  }
  const rtmp = config.listen[0];
  const api = config.http_api.listen[0];
  return {
    rtmp: {
      ...(rtmp?.hostname === undefined ? {} : { hostname: rtmp.hostname }),
      port: rtmp?.port || (rtmpPort ?? DEFAULT_RTMP_PORT),
    },
    // Port 0 is whatever was got; else SRS shows the text as configured.
    apiListen: api === undefined || api.port === 0 ? String(apiPort ?? 0) : api.literal,
    vhosts,
  };
}

/** Where the streams of a vhost are forwarded to; undefined for one that forwards nothing here. */
export function forwardSettings(config: Config, name: string): ForwardSettings | undefined {
  const vhost = config.vhost[name];
  if (vhost === undefined || !vhost.enabled || !vhost.forward.enabled || vhost.cluster.mode === "remote") {
    return undefined;
  }
  const { destination, rtmps, backend, targets } = vhost.forward;
  return {
    destinations: [
      ...destination.map((text) => ({ ...parseForwardDestination(text, rtmps), patterns: [] })),
      ...Object.entries(targets).filter(([, { enabled }]) => enabled).map((
        [name, { url, key, streams }],
      ): ForwardDestination => ({ name, kind: "url", url: parseForwardUrl(url, key), patterns: streams })),
    ],
    backend,
    debugUpnode: vhost.cluster.debug_srs_upnode,
  };
}

/** How the streams of a vhost are recorded here; undefined for an edge, whose origins do that. */
export function recordingSettings(config: Config, name: string): RecordingSettings | undefined {
  const vhost = config.vhost[name];
  if (vhost === undefined || !vhost.enabled || vhost.cluster.mode === "remote") return undefined;
  const { dvr } = vhost;
  return {
    isEnabled: dvr.enabled,
    apply: dvr.dvr_apply,
    path: dvr.dvr_path,
    isUtc: config.utc_time,
    plan: dvr.dvr_plan,
    durationMs: dvr.dvr_duration * 1000,
    waitsForKeyframe: dvr.dvr_wait_keyframe,
    timeJitter: dvr.time_jitter,
    reserveBytes: dvr.reserve_bytes,
  };
}

/** Finds a vhost by exact name, else the default one. */
export function findVhost<T>(vhosts: ReadonlyMap<string, T>, name: string): T | undefined {
  return vhosts.get(name) ?? vhosts.get(DEFAULT_VHOST);
}

/** What a vhost is by its `cluster` section. */
function vhostRole(cluster: VhostConfig["cluster"]): VhostRole {
  if (cluster.mode === "local") {
    const { origin_cluster: isOriginCluster, redirect, wait_ms: waitMs, linger_ms: lingerMs } = cluster;
    return isOriginCluster ? { kind: "cluster", redirect, waitMs, lingerMs } : { kind: "lone" };
  }
  return {
    kind: "edge",
    origins: cluster.origin.map((origin) => {
      const { host, port, isSecure } = parseOriginAddress(origin);
      return { hostname: host, port, ...(isSecure ? { isSecure } : {}) };
    }),
    vhostTemplate: cluster.vhost,
    tokenTraverse: cluster.token_traverse,
    debugUpnode: cluster.debug_srs_upnode,
    lingerMs: cluster.linger_ms,
    streamWaitMs: cluster.stream_wait_ms,
  };
}

function oneVhost(name: string, vhost: VhostConfig, config: Config): VhostSettings {
  const { play, publish, http_remux: remux, cluster } = vhost;
  const role = vhostRole(cluster);
  return {
    name,
    role,
    clusterSecret: cluster.secret,
    separatesVhosts: name === DEFAULT_VHOST && role.kind === "edge" && role.vhostTemplate.includes("[vhost]"),
    stream: {
      chunkSize: vhost.chunk_size || config.chunk_size,
      gopCache: play.gop_cache,
      gopCacheMaxFrames: play.gop_cache_max_frames,
      gopCacheMaxBytes: config.limits.gop_cache_max_bytes,
      queueLengthMs: play.queue_length * 1000,
      gatherMs: play.mw_latency,
      metadata: play.metadata,
      sequenceHeaders: play.sequence_headers,
      server: SIGNATURE,
      limits: serverLimits(config).wire,
    },
    flv: {
      isEnabled: remux.enabled,
      mount: remux.mount,
      guessHasAv: remux.guess_has_av,
      hasAudio: remux.has_audio,
      hasVideo: remux.has_video,
      dropIfNotMatch: remux.drop_if_not_match,
      waitMs: remux.wait_ms,
    },
    noDelay: vhost.tcp_nodelay,
    inAckSize: vhost.in_ack_size,
    outAckSize: vhost.out_ack_size,
    firstPacketTimeoutMs: publish.firstpkt_timeout,
    normalTimeoutMs: publish.normal_timeout,
    idlePublisherTimeoutMs: publish.kickoff_for_idle * 1000,
    takeover: cluster.on_conflict === "takeover",
    readPauseMs: publish.mr_latency,
  };
}
