// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
/**
 * What a node tells of the streams that it has, published there or relayed: asked for when somebody looks at the cluster as one, where
 * the fetch loop carries names only.
 *
 * @module
 */
import { DEFAULT_VHOST, splitStreamKey } from "../base/stream_address.ts";

/** A stream's video, as far as it is known; numbers that are not are 0. */
export interface NodeVideo {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
}

/** Who publishes a stream, as its node tells those who may know. What SRS does not tell is empty. */
export interface NodePublisher {
  readonly client_id: string;
  readonly ip: string;
  /** What the encoder calls itself in the metadata. */
  readonly program: string;
  /** Milliseconds since 1970; 0: not told. */
  readonly since_ms: number;
}

/** A stream at one node. */
export interface NodeStream {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** Whether it comes in: published there, or pulled from another node. */
  readonly live: boolean;
  /** Whether an encoder publishes it there. */
  readonly published: boolean;
  /** Its players there, other nodes not counted. */
  readonly viewers: number;
  /** Kilobits (1000 bits) per second over 30 seconds. */
  readonly recv_kbps: number;
  readonly send_kbps: number;
  /** Video frames per second over 30 seconds. */
  readonly fps: number;
  readonly video: NodeVideo | null;
  readonly audio: { readonly codec: string } | null;
  /** By which the node's own routes know it; empty: not told. */
  readonly stream_id: string;
  /** Media time between the last two key frames, in seconds; null: not known. */
  readonly key_frame_interval_s: number | null;
  readonly publisher: NodePublisher | null;
}

/** Longest answer read, in bytes. */
export const MAX_NODE_STREAMS_BYTES: number = 8 * 1024 * 1024;
const MAX_STREAMS = 20_000;
const MAX_NAME_LENGTH = 1024;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Headwater node's answer.
 *
 * @throws {Error} When it is none.
 */
export function readNodeStreams(answer: Json): NodeStream[] {
  const data = isObject(answer["data"]) ? answer["data"] : {};
  return list(data["streams"]).map((entry) => ({
    vhost: name(entry["vhost"], "vhost"),
    app: name(entry["app"], "app"),
    stream: name(entry["stream"], "stream"),
    live: entry["live"] === true,
    published: entry["published"] === true,
    viewers: number(entry["viewers"]),
    recv_kbps: number(entry["recv_kbps"]),
    send_kbps: number(entry["send_kbps"]),
    fps: number(entry["fps"]),
    video: video(entry["video"]),
    audio: audio(entry["audio"]),
    stream_id: text(entry["stream_id"]),
    key_frame_interval_s: number(entry["key_frame_interval_s"]) || null,
    publisher: publisher(entry["publisher"]),
  }));
}

/**
 * Reads what SRS answers to `/api/v1/streams`. It has ids for vhosts, and their names in a stream's `url`.
 *
 * @throws {Error} When it is none.
 */
export function readSrsStreams(answer: Json): NodeStream[] {
  return list(answer["streams"]).map((entry) => {
    const url = typeof entry["url"] === "string" ? entry["url"] : "";
    const vhost = url.includes("/") ? splitStreamKey(url).vhost : DEFAULT_VHOST;
    const publish = isObject(entry["publish"]) ? entry["publish"] : {};
    const kbps = isObject(entry["kbps"]) ? entry["kbps"] : {};
    const isLive = publish["active"] === true;
    return {
      vhost: name(vhost, "vhost"),
      app: name(entry["app"], "app"),
      stream: name(entry["name"], "name"),
      live: isLive,
      published: isLive,
      viewers: Math.max(0, number(entry["clients"]) - (isLive ? 1 : 0)),
      recv_kbps: number(kbps["recv_30s"]),
      send_kbps: number(kbps["send_30s"]),
      fps: 0,
      video: video(entry["video"]),
      audio: audio(entry["audio"]),
      stream_id: text(entry["id"]),
      key_frame_interval_s: null,
      publisher: isLive ? publisher({ client_id: publish["cid"] }) : null,
    };
  });
}

function list(value: unknown): Json[] {
  if (!Array.isArray(value)) {
    throw new Error(`its stream list is ${kindOf(value)}, expected an array`);
  }
  if (value.length > MAX_STREAMS) {
    throw new Error(`it lists ${value.length} streams, limit is ${MAX_STREAMS}`);
  }
  return value.map((entry) => {
    if (isObject(entry)) return entry;
    throw new Error(`it lists a stream that is ${kindOf(entry)}, expected an object`);
  });
}

function kindOf(value: unknown): string {
  return value === undefined ? "missing" : value === null ? "null" : `a ${typeof value}`;
}

function name(value: unknown, field: string): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_NAME_LENGTH) return value;
  throw new Error(`it lists a stream without a usable ${field}`);
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 40) : "";
}

function video(value: unknown): NodeVideo | null {
  if (!isObject(value)) return null;
  return { codec: text(value["codec"]), width: number(value["width"]), height: number(value["height"]) };
}

function publisher(value: unknown): NodePublisher | null {
  if (!isObject(value)) return null;
  return {
    client_id: text(value["client_id"]),
    ip: text(value["ip"]),
    program: typeof value["program"] === "string" ? value["program"].slice(0, 128) : "",
    since_ms: number(value["since_ms"]),
  };
}

function audio(value: unknown): { codec: string } | null {
  return isObject(value) ? { codec: text(value["codec"]) } : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
