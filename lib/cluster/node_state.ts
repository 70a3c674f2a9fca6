/**
 * The state of a node, as `GET /api/v1/clusters/node` tells it and the loop reads it.
 *
 * @module
 */
import { splitStreamKey, streamKey } from "../base/stream_address.ts";
import type { OwnedStream, OwnedStreams } from "./owned_streams.ts";

/** Who a node is. */
export interface NodeIdentity {
  /** The same as `server` in the rest of the API. */
  readonly nodeId: string;
  /** Another one at each start. */
  readonly bootId: string;
  readonly version: string;
}

/** What a node has to do. */
export interface NodeLoad {
  readonly clients: number;
  readonly streams: number;
  /** Of one core, in percent. */
  readonly cpuPercent?: number;
  /** Sent to clients, in kilobits per second over 30 seconds. */
  readonly kbps?: number;
}

/** Where a node takes RTMP. */
export interface RtmpEndpoint {
  /** Absent: the address by which the node was asked. */
  readonly host?: string;
  readonly port: number;
}

/** A node's state as read from its answer. */
export interface NodeState extends NodeIdentity {
  readonly rtmp: RtmpEndpoint;
  readonly load: NodeLoad;
  readonly revision: number;
  /** True: `added` is all that the node owns. False: what changed since the revision that was asked for. */
  readonly isFull: boolean;
  /** Stream keys with their publish times. */
  readonly added: ReadonlyMap<string, number>;
  readonly removed: readonly string[];
  /** It takes no new clients: it is about to stop. */
  readonly isDraining: boolean;
  /** Keys of streams whose publishers a draining node has asked to go on at another node, which may take them over. */
  readonly moving: ReadonlySet<string>;
}

/** What a node that is about to stop says of itself. */
export interface NodeDrain {
  readonly isDraining: boolean;
  /** Keys of streams whose publishers have been asked to go on at another node. */
  readonly moving: ReadonlySet<string>;
}

const NOT_DRAINING: NodeDrain = { isDraining: false, moving: new Set() };

/** Longest answer read, in bytes: 10,000 streams with the longest names that are allowed, twice. */
export const MAX_NODE_STATE_BYTES: number = 16 * 1024 * 1024;
const MAX_STREAMS = 100_000;
const MAX_NAME_LENGTH = 1024;

type Json = Readonly<Record<string, unknown>>;

/** What `since=REV&boot=ID` asked for. */
export interface StateSince {
  readonly bootId: string;
  readonly revision: number;
}

/**
 * The JSON of a node's state.
 *
 * @param isVisible Whether the asker may know the streams of a vhost.
 * @param since The state that the asker has; absent, or of another start, or too old: all is told.
 * @param drain Told only while the node drains.
 */
export function nodeStateJson(
  identity: NodeIdentity,
  rtmp: RtmpEndpoint,
  load: NodeLoad,
  owned: OwnedStreams,
  isVisible: (vhost: string) => boolean,
  since?: StateSince,
  drain: NodeDrain = NOT_DRAINING,
): Json {
  const changes = since?.bootId === identity.bootId ? owned.changesSince(since.revision) : undefined;
  const isShorter = changes !== undefined && changes.added.length + changes.removed.length <= owned.size + 16;
  const part = changes !== undefined && isShorter
    ? {
      full: false,
      added: changes.added.filter(({ vhost }) => isVisible(vhost)).map(streamJson),
      removed: changes.removed.map(splitStreamKey).filter(({ vhost }) => isVisible(vhost)),
    }
    : { full: true, streams: [...owned.list()].filter(({ vhost }) => isVisible(vhost)).map(streamJson) };
  return {
    node_id: identity.nodeId,
    boot_id: identity.bootId,
    version: identity.version,
    rtmp: rtmp.host === undefined ? { port: rtmp.port } : { host: rtmp.host, port: rtmp.port },
    load: loadJson(load),
    revision: owned.revision,
    ...(drain.isDraining
      ? {
        draining: true,
        moving: [...drain.moving].map(splitStreamKey).filter(({ vhost }) => isVisible(vhost)),
      }
      : {}),
    ...part,
  };
}

/** A node's load as JSON. */
export interface NodeLoadJson extends Json {
  readonly clients: number;
  readonly streams: number;
}

/** The JSON of a node's load. */
export function loadJson(load: NodeLoad): NodeLoadJson {
  return {
    clients: load.clients,
    streams: load.streams,
    ...(load.cpuPercent === undefined ? {} : { cpu_percent: load.cpuPercent }),
    ...(load.kbps === undefined ? {} : { kbps: load.kbps }),
  };
}

/** The JSON of a stream with its publish time. */
export function streamJson(
  { vhost, app, stream, publishedAtMs }: Omit<OwnedStream, "key" | "connectionId">,
): Json {
  return { vhost, app, stream, published_at_ms: publishedAtMs };
}

/**
 * Reads the data of a node's answer.
 *
 * @returns undefined when it names no node: that is another program's answer.
 * @throws {Error} When it names one and is wrong all the same.
 */
export function parseNodeState(data: unknown): NodeState | undefined {
  if (!isObject(data) || data.node_id === undefined) return undefined;
  const isFull = data.full === true;
  const rtmp = isObject(data.rtmp) ? data.rtmp : {};
  const load = isObject(data.load) ? data.load : {};
  const host = rtmp.host === undefined ? undefined : name(rtmp.host, "host");
  return {
    nodeId: name(data.node_id, "node_id"),
    bootId: name(data.boot_id, "boot_id"),
    version: name(data.version, "version"),
    rtmp: { ...(host === undefined ? {} : { host }), port: count(rtmp.port, "port", 65_535) },
    load: {
      clients: count(load.clients, "clients"),
      streams: count(load.streams, "streams"),
      ...(typeof load.cpu_percent === "number" ? { cpuPercent: load.cpu_percent } : {}),
      ...(typeof load.kbps === "number" ? { kbps: load.kbps } : {}),
    },
    revision: count(data.revision, "revision"),
    isFull,
    added: new Map(
      list(isFull ? data.streams : data.added).map((entry) => [
        keyOf(entry),
        count(entry.published_at_ms, "published_at_ms"),
      ]),
    ),
    removed: isFull ? [] : list(data.removed).map(keyOf),
    isDraining: data.draining === true,
    moving: new Set(data.moving === undefined ? [] : list(data.moving).map(keyOf)),
  };
}

function keyOf(entry: Json): string {
  return streamKey(name(entry.vhost, "vhost"), name(entry.app, "app"), name(entry.stream, "stream"));
}

function list(value: unknown): Json[] {
  if (!Array.isArray(value)) {
    throw new Error(`Cannot read node state: the stream list is a ${typeof value}, expected an array`);
  }
  if (value.length > MAX_STREAMS) {
    throw new Error(`Cannot read node state: ${value.length} streams, limit is ${MAX_STREAMS}`);
  }
  return value.map((entry) => {
    if (isObject(entry)) return entry;
    throw new Error(`Cannot read node state: a stream is a ${typeof entry}, expected an object`);
  });
}

function name(value: unknown, field: string): string {
  if (typeof value !== "string" || value === "") {
    throw new Error(`Cannot read node state: ${field} is ${shown(value)}, expected a name`);
  }
  if (value.length > MAX_NAME_LENGTH) {
    throw new Error(
      `Cannot read node state: ${field} is ${value.length} characters long, limit is ${MAX_NAME_LENGTH}`,
    );
  }
  return value;
}

function count(value: unknown, field: string, limit: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= limit) return value;
  throw new Error(`Cannot read node state: ${field} is ${shown(value)}, expected a count`);
}

/** For an error: what is no text or number may be of any size. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40).toWellFormed());
  return typeof value === "number" ? String(value) : value === null ? "null" : typeof value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
