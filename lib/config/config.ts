/**
 * Every key of a configuration: its section, default, limits and meaning.
 *
 * @module
 */
import * as z from "zod/mini";
import { parseForwardDestination, parseForwardUrl } from "../base/forward_url.ts";
import {
  addresses,
  addressRules,
  boolean,
  checkedText,
  choice,
  domains,
  hosts,
  httpUrls,
  integer,
  integerOrZero,
  type KeyInfo,
  keyInfo,
  latency,
  listen,
  listenOrNot,
  matchingText,
  milliseconds,
  origins,
  secretText,
  section,
  servers,
  text,
  texts,
} from "./config_key.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MAX_COUNT = 1_000_000;

const limitsSchema = section({
  handshake_timeout_ms: milliseconds(
    10_000,
    "How long a connection may take for the handshake and its connect, in ms.",
    1,
  ),
  send_timeout_ms: milliseconds(
    120_000,
    "How long a write may wait for a peer that does not read, in ms.",
    1,
  ),
  message_max_bytes: integer(16 * MIB, 1, GIB, "Longest RTMP message, in bytes."),
  chunk_streams_max: integer(64, 4, 65_599, "Chunk streams that one connection may use."),
  buffered_max_bytes: integer(
    32 * MIB,
    1,
    GIB,
    "Unfinished messages and input not yet read of one connection, in bytes. At least message_max_bytes.",
  ),
  amf_depth_max: integer(32, 1, 1000, "Nesting of AMF objects and arrays."),
  amf_string_max_bytes: integer(64 * KIB, 1, GIB, "Longest AMF string, in bytes."),
  amf_properties_max: integer(1024, 1, MAX_COUNT, "AMF properties and array elements in one message."),
  gop_cache_max_bytes: integer(
    16 * MIB,
    0,
    GIB,
    "GOP cache of one stream, in bytes. See also play.gop_cache_max_frames.",
  ),
  http_body_max_bytes: integer(64 * KIB, 0, GIB, "Body of an HTTP request, in bytes."),
  stream_key_max_bytes: integer(512, 1, 65_535, "Name of a stream with its vhost and app, in bytes."),
});

/** Where TLS is spoken. The names of the files are SRS's. */
function tlsKeys() {
  return {
    key: text("./conf/server.key", "The private key, in PEM."),
    cert: text(
      "./conf/server.crt",
      "The certificate, in PEM, followed by those of its issuers. Both files are read again when they change.",
    ),
  };
}

const rtmpsSchema = section({
  enabled: boolean(false, "Serve RTMP over TLS (rtmps://)."),
  listen: listenOrNot("Where it listens. Clients that are told no port use 443."),
  ...tlsKeys(),
});

const upstreamTlsSchema = section({
  ca: text("", "File of certificates, in PEM, to trust beside those that everybody does."),
  unverified_names: hosts(
    "Servers whose certificate may be for another name, as they are dialled. It must still come from one that is trusted.",
  ),
});

const httpApiSchema = section({
  enabled: boolean(true, "Serve the HTTP API, /metrics and /console/."),
  listen: listen(1985, "Where the HTTP API listens. The same as http_server.listen: one port serves both."),
  crossdomain: boolean(true, "Allow cross-origin requests (CORS)."),
  auth: section({
    enabled: boolean(
      false,
      "Require a user name and password (HTTP Basic), a token (HTTP Bearer), or either.",
    ),
    username: text("", "The name. Empty: a token is required."),
    password: secretText("The password."),
    token: secretText("The bearer token. Empty: the name and password are required."),
  }),
  https: section({
    enabled: boolean(false, "Serve the HTTP API over HTTPS as well."),
    listen: listen(
      1990,
      "Where it listens. Where one port serves API and players: http_server.https.listen.",
    ),
    ...tlsKeys(),
  }),
});

const httpServerSchema = section({
  enabled: boolean(true, "Serve HTTP-FLV, WebSocket-FLV and the players' page."),
  listen: listen(8080, "Where it listens."),
  crossdomain: boolean(true, "Allow cross-origin playback (CORS)."),
  https: section({
    enabled: boolean(false, "Serve the same over HTTPS, and WebSocket-FLV over WSS."),
    listen: listen(8088, "Where it listens."),
    ...tlsKeys(),
  }),
});

const exporterSchema = section({
  enabled: boolean(false, "Serve /metrics for Prometheus on a port of its own, beside the HTTP API's."),
  listen: listen(9972, "Where it listens."),
  label: text("", "The label `label` of srs_build_info. Empty: none."),
  tag: text("", "The label `tag` of srs_build_info. Empty: none."),
  streams: boolean(false, "Show series of single streams in /metrics, with vhost, app and stream as labels."),
  streams_max: integer(200, 1, 10_000, "With streams = true: streams that have series, the oldest first."),
});

const heartbeatSchema = section({
  enabled: boolean(false, "Tell a server, by POST requests in JSON, that this one is alive, as SRS does."),
  interval_ms: milliseconds(10_000, "How often, in ms.", 100),
  url: matchingText(
    "http://127.0.0.1:8085/api/v1/servers",
    /^https?:\/\/[^\s/]\S*$/,
    "an http:// or https:// URL",
    "Whom.",
  ),
  device_id: text("", "The name of this machine, sent as device_id."),
  summaries: boolean(false, "Send what /api/v1/summaries answers as well."),
  ports: boolean(false, "Send where this server listens as well."),
});

const clusterSchema = section({
  mode: choice(["local", "remote"], "local", "local: an origin. remote: an edge of the servers in origin."),
  origin_cluster: boolean(false, "This origin is one of a cluster: a stream may be at a coworker."),
  coworkers: servers('HTTP APIs of the other origins, as in ["10.0.0.2:1985"]. Without a port: 80.'),
  redirect: choice(
    ["auto", "302", "relay"],
    "auto",
    "How a player reaches a stream of a coworker. auto: sent there when it can follow, else relayed. " +
      "302: always sent there. relay: never.",
  ),
  advertise: matchingText(
    "",
    /^(?:(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?)?$/,
    '"host" or "host:port"',
    "Where players and coworkers reach this node's RTMP port, host[:port]. Empty: as SRS decides it, the " +
      "listen address or else the name that the asker used.",
  ),
  poll_interval_ms: milliseconds(1000, "How often each coworker is asked for its streams, in ms.", 10),
  query_timeout_ms: milliseconds(1000, "How long a query to the coworkers may take, in ms.", 1),
  wait_ms: milliseconds(0, "How long a play may wait for a stream that no node of the cluster has, in ms."),
  secret: secretText("Shared by the nodes of a cluster, which sign their requests. Empty: none, as in SRS."),
  on_conflict: choice(
    ["reject", "takeover"],
    "reject",
    "The same stream published at two origins. reject: the second is refused. takeover: the first is ended.",
  ),
  origin: origins(
    'With mode = "remote": the origins to pull from and push to, in turn, host[:port], or rtmps://host[:port] for TLS. ' +
      "Without a port: 1935, or 443.",
  ),
  vhost: matchingText(
    "[vhost]",
    /^\S+$/,
    "a name without spaces",
    'With mode = "remote": the vhost asked for at the origin. [vhost] stands for this one; in the default vhost for ' +
      "the one that the client names, whose streams are kept apart.",
  ),
  token_traverse: boolean(
    false,
    'With mode = "remote": ask an origin whether each client may connect, before it may play or publish.',
  ),
  debug_srs_upnode: boolean(true, "Tell the origin who connects, in SRS's fields of connect."),
  linger_ms: milliseconds(3000, "How long a pulled stream is kept after its last player left, in ms."),
  stream_wait_ms: milliseconds(
    0,
    'With mode = "remote": how long a player may wait for a stream that no origin has, in ms. 0: for ever.',
  ),
});

const playSchema = section({
  gop_cache: boolean(true, "Start a new player at the last key frame instead of the next message."),
  gop_cache_max_frames: integer(2500, 0, MAX_COUNT, "Messages in the GOP cache of one stream. 0: no limit."),
  queue_length: integer(30, 1, 3600, "How far a player may lag, in s, before it jumps to a key frame."),
  mw_latency: latency(
    'Merged write: how long messages are gathered before a write, in ms. "auto": from 0 to 350, so that ' +
      "writing takes about a sixtieth of a core.",
  ),
  metadata: boolean(true, "Send a new player the stream's metadata."),
  sequence_headers: boolean(true, "Send a new player the stream's codec headers."),
});

const publishSchema = section({
  mr_latency: latency(
    'Merged read: how long to pause between reads of a publisher, in ms. "auto": by load, and longer where nobody plays.',
  ),
  firstpkt_timeout: milliseconds(20_000, "How long a publisher's first message may take, in ms.", 1),
  normal_timeout: milliseconds(5000, "How long a publisher may be silent after that, in ms.", 1),
  kickoff_for_idle: integer(
    0,
    0,
    86_400,
    "Disconnect a publisher without players after this time, in s. 0: never.",
  ),
});

const httpRemuxSchema = section({
  enabled: boolean(true, "Serve the streams of this vhost as HTTP-FLV and WebSocket-FLV."),
  mount: matchingText(
    "[vhost]/[app]/[stream].flv",
    /^\S+\.flv$/,
    'a template that ends in ".flv"',
    "The URL of a stream. [vhost], [app] and [stream] stand for its parts.",
  ),
  guess_has_av: boolean(true, "Set the header's audio and video flags by what the stream has."),
  has_audio: boolean(true, "With guess_has_av = false: the audio flag."),
  has_video: boolean(true, "With guess_has_av = false: the video flag."),
  drop_if_not_match: boolean(true, "Leave out messages of a kind that the header says is not there."),
  wait_ms: milliseconds(10_000, "How long a request may wait for a stream that is not there yet, in ms."),
});

const securitySchema = section({
  enabled: boolean(false, "Ask the rules who may publish and play."),
  rules: addressRules(
    'Who may come from where: "allow" or "deny", "publish" or "play", then "all", an address, or a block such as ' +
      "10.0.0.0/8. As in SRS: deny rules count first, whatever their place; then who is allowed comes in; where there are " +
      "allow rules, for publish or play, everyone else is refused. No rules at all: everyone is refused.",
  ),
});

const tokensSchema = section({
  enabled: boolean(false, "Let in who has a signed token (JWT) for what it wants to do."),
  publish: boolean(true, "Publishers need one."),
  play: boolean(false, "Players need one."),
  secret: secretText(
    "The secret that tokens are signed with (HS256), at least 32 characters. One of secret, public_key and jwks is needed.",
  ),
  public_key: text(
    "",
    "File with the public key, in PEM, of who signs tokens: RSA (RS256), P-256 or P-384 (ES256, ES384), or Ed25519 (EdDSA).",
  ),
  jwks: checkedText(
    isHttpUrl,
    "an http:// or https:// URL",
    "URL of a JSON Web Key Set, as identity providers have one. It is read again when a token names a key that is not in it.",
    true,
  ),
  parameter: matchingText(
    "token",
    /^[A-Za-z0-9_.-]+$/,
    "a name of letters, digits, _, . and -",
    "The parameter of the URL that a token stands in, as in rtmp://host/live/cam1?token=... HTTP players may send it as " +
      "Authorization: Bearer.",
  ),
});

const forwardSchema = section({
  enabled: boolean(
    false,
    "Forward the streams that are published here to other servers. Not on an edge: its origins do.",
  ),
  destination: texts(
    isForwardDestination,
    'a list of "host:port" and "rtmp://" or "rtmps://" URLs',
    "Where every stream goes: host:port of a media server, which gets it under its own names, or a URL with the " +
      "stream's name or key.",
    true,
  ),
  rtmps: boolean(false, "Each host:port of destination speaks RTMPS."),
  backend: checkedText(
    (url) => URL.canParse(url) && /^https?:/.test(url),
    "an http:// or https:// URL",
    "Asked at each publish where the stream goes (SRS's on_forward), instead of destination. Empty: none.",
    true,
  ),
  targets: z.prefault(
    z.record(
      z.string().check(z.regex(/^[^\s/*]+$/)),
      section({
        enabled: boolean(true, "false: nothing is forwarded there."),
        url: checkedText(
          isForwardUrl,
          "an rtmp:// or rtmps:// URL",
          "URL up to the app, as in rtmps://a.rtmps.youtube.com:443/live2. [vhost], [app] and [stream] stand for the " +
            "publisher's.",
          true,
        ),
        key: secretText(
          "Name or key of the stream there, with any parameters. Empty: the stream's own name.",
        ),
        streams: texts(
          (pattern) => pattern !== "",
          'a list of patterns such as "live/*"',
          'Which streams: app/stream, where * stands for any text, as in ["live/main", "event/*"]. Empty: all.',
        ),
      }),
    ),
    {},
  ),
});

const dvrSchema = section({
  enabled: boolean(false, "Record the streams that are published here. Not on an edge: its origins do."),
  dvr_apply: texts(
    (name) => name === "all" || /^[^\s]*\/[^\s]+$/.test(name),
    'a list of "app/stream", or "all"',
    'Which streams: app/stream, as in ["live/main"]. "all": every stream.',
    false,
    ["all"],
  ),
  dvr_path: matchingText(
    "./objs/nginx/html/[app]/[stream].[timestamp].flv",
    /^[^\0]+$/,
    "a path that ends in .flv or .mp4, or a folder",
    "Where files go. [vhost], [app], [stream], [2006], [01], [02], [15], [04], [05], [999] and [timestamp] stand for " +
      "names, year, month, day, hour, minute, second, milliseconds, and milliseconds since 1970. A path that does not end " +
      "in .flv or .mp4 is a folder.",
  ),
  dvr_plan: choice(
    ["session", "segment"],
    "session",
    "session: one file for each publish. segment: a new file each dvr_duration.",
  ),
  dvr_duration: integer(30, 0, 86_400, 'With dvr_plan = "segment": length of a file, in s. 0: no limit.'),
  dvr_wait_keyframe: boolean(true, "Begin files with a key frame."),
  time_jitter: choice(
    ["full", "zero", "off"],
    "full",
    "full, zero: times in each file begin at 0. off: they are those of the stream.",
  ),
  reserve_bytes: integer(
    512 * MIB,
    0,
    1024 * GIB,
    "Recording pauses while less than this is free on the disk, in bytes. 0: it is not asked.",
  ),
});

const referSchema = section({
  enabled: boolean(false, "Ask from which page clients come: pageUrl of connect, Referer over HTTP."),
  all: domains(
    "The domains whose pages may publish and play; what is below one is meant too. Empty: every page.",
  ),
  publish: domains("The domains whose pages may publish, besides what all says. Empty: every page."),
  play: domains("The domains whose pages may play, besides what all says. Empty: every page."),
});

const httpHooksSchema = section({
  enabled: boolean(false, "Ask and tell the backends below, by POST requests in JSON, as SRS does."),
  on_connect: httpUrls(
    "Asked before an RTMP client publishes or plays. Several URLs are asked one after another.",
  ),
  on_close: httpUrls("Told when the connection of an RTMP client has ended."),
  on_publish: httpUrls("Asked before a client publishes."),
  on_unpublish: httpUrls("Told when it has stopped."),
  on_play: httpUrls("Asked before a client plays."),
  on_stop: httpUrls("Told when it has stopped."),
  on_dvr: httpUrls("Told when a file of a recording is closed."),
  timeout_ms: milliseconds(5000, "How long one URL may take to answer, in ms.", 1),
  on_failure: choice(
    ["refuse", "allow"],
    "refuse",
    "A backend that does not answer in time, or with a status from 500 on. refuse: the client is refused. allow: let in.",
  ),
  ca: text("", "File with the certificates that https URLs are verified by, as PEM. Empty: the system's."),
  tls_verify: boolean(true, "false: https URLs may have any certificate, as in SRS."),
});

const CHUNK_SIZE_MIN = 128;
const CHUNK_SIZE_MAX = 65_536;

const vhostSchema = section({
  enabled: boolean(true, "false: connections to this vhost are refused."),
  chunk_size: integerOrZero(CHUNK_SIZE_MIN, CHUNK_SIZE_MAX, "Chunk size sent, in bytes. 0: the server's."),
  in_ack_size: integer(
    0,
    0,
    2 ** 31 - 1,
    "Window to acknowledge our input by, in bytes. 0: what the peer asks for; never more than out_ack_size.",
  ),
  out_ack_size: integer(
    2_500_000,
    0,
    2 ** 31 - 1,
    "Window that peers are asked to acknowledge by, in bytes. 0: none.",
  ),
  tcp_nodelay: boolean(true, "Send at once, without Nagle's algorithm."),
  min_latency: boolean(false, 'Lowest delay: mw_latency and mr_latency are 0 where they are "auto".'),
  cluster: clusterSchema,
  play: playSchema,
  publish: publishSchema,
  http_remux: httpRemuxSchema,
  security: securitySchema,
  tokens: tokensSchema,
  forward: forwardSchema,
  dvr: dvrSchema,
  refer: referSchema,
  http_hooks: httpHooksSchema,
});

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text);
}

function isForwardDestination(text: string): boolean {
  return isRead(() => parseForwardDestination(text));
}

function isForwardUrl(text: string): boolean {
  return isRead(() => parseForwardUrl(text, ""));
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/** The whole of a configuration. */
export const configSchema = z.strictObject({
  listen: listen(1935, "Where RTMP listens."),
  chunk_size: integer(60_000, CHUNK_SIZE_MIN, CHUNK_SIZE_MAX, "Chunk size sent, in bytes."),
  max_connections: integer(1000, 1, MAX_COUNT, "Concurrent connections, RTMP and HTTP together."),
  max_connections_per_ip: integer(0, 0, MAX_COUNT, "Of these, from one address. 0: no limit."),
  log_level: choice(
    ["trace", "debug", "info", "warn", "error"],
    "info",
    "trace, debug, info, warn or error: the lowest level logged.",
  ),
  log_format: choice(["text", "json"], "text", "text: human-readable. json: one JSON object per line."),
  log_file: text("", "File to append the log to. Empty: stdout."),
  pid: text("", "File that holds the process id while the server runs. Empty: none."),
  utc_time: boolean(false, "Dates and times in dvr_path are UTC instead of local time."),
  server_id: text("", "The name of this server in the API. Empty: a random one at each start."),
  grace_s: integer(
    30,
    0,
    86_400,
    "How long clients may stay when the server drains (SIGQUIT, POST /api/v1/drain) before they are closed, in s.",
  ),
  grace_start_wait_ms: milliseconds(
    2300,
    "How long a drain lets new clients in after /readyz says 503, so that load balancers notice, in ms.",
  ),
  grace_final_wait_ms: milliseconds(2500, "How long shutdown may take before connections are closed, in ms."),
  force_grace_quit: boolean(false, "SIGTERM drains as SIGQUIT does, for grace_s."),
  trusted_proxies: addresses(
    'Proxies in front of this server, as in ["127.0.0.1", "10.0.0.0/8"]: what they say of a client\'s address counts ' +
      "(PROXY protocol, X-Forwarded-For, X-Real-IP, Forwarded).",
  ),
  limits: limitsSchema,
  rtmps: rtmpsSchema,
  upstream_tls: upstreamTlsSchema,
  http_api: httpApiSchema,
  http_server: httpServerSchema,
  exporter: exporterSchema,
  heartbeat: heartbeatSchema,
  vhost: z.record(z.string().check(z.regex(/^[^\s/]+$/)), vhostSchema),
});

/** A configuration that has been checked, with every default filled in. */
export type Config = z.output<typeof configSchema>;
/** The part of a configuration that belongs to one vhost. */
export type VhostConfig = z.output<typeof vhostSchema>;
/** The `cluster` section of a vhost. */
export type ClusterConfig = VhostConfig["cluster"];

/** One key of the schema, for the reference file and the environment. */
export interface ConfigKey extends KeyInfo {
  /** Section names and the key; `*` stands for the name of a vhost. */
  readonly path: readonly string[];
}

/** Every key that a configuration may hold, in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = [...listKeys(configSchema, [])];

function* listKeys(schema: z.core.$ZodType, path: readonly string[]): Iterable<ConfigKey> {
  const info = keyInfo(schema);
  if (info !== undefined) {
    yield { ...info, path };
  } else if (schema instanceof z.ZodMiniPrefault) {
    yield* listKeys(schema.def.innerType, path);
  } else if (schema instanceof z.ZodMiniRecord) {
    yield* listKeys(schema.def.valueType, [...path, "*"]);
  } else if (schema instanceof z.ZodMiniObject) {
    for (const [name, child] of Object.entries(schema.def.shape)) {
      yield* listKeys(child as z.core.$ZodType, [...path, name]);
    }
  }
}
