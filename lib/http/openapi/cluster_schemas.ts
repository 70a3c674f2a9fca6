// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
/**
 * The answers of the cluster's routes as schemas; see `srs_schemas.ts`.
 *
 * @module
 */
import * as z from "zod/mini";
import { CLUSTER_CLIENT } from "../api/cluster_clients.ts";

const number = z.number();
const text = z.string();

export const NODE = z.object({
  self: z.boolean(),
  name: z.optional(text),
  vhosts: z.optional(z.array(text)),
  kind: z.enum(["headwater", "srs", "unknown"]),
  up: z.nullable(z.boolean()),
  draining: z.optional(z.boolean()),
  up_since_ms: z.optional(z.nullable(number)),
  down_since_ms: z.optional(z.nullable(number)),
  last_error: z.optional(z.nullable(text)),
  round_trip_ms: z.optional(z.nullable(number)),
  node_id: z.optional(text),
  boot_id: z.optional(text),
  version: z.optional(text),
  rtmp: z.optional(z.object({ host: z.optional(text), port: number })),
  load: z.optional(z.object({
    clients: number,
    streams: number,
    cpu_percent: z.optional(number),
    kbps: z.optional(number),
  })),
  streams: z.optional(
    z.array(z.object({ vhost: text, app: text, stream: text, published_at_ms: number })),
  ),
});

const ASKED = {
  name: text,
  self: z.boolean(),
  node_id: z.optional(text),
  took_ms: z.optional(number),
  error: z.optional(text),
};

export const CLUSTER_STREAMS = z.object({
  total: number,
  streams: z.array(z.object({
    vhost: text,
    app: text,
    stream: text,
    url: text,
    owner: z.nullable(text),
    live: z.boolean(),
    viewers: number,
    send_kbps: number,
    recv_kbps: number,
    fps: number,
    video: z.nullable(z.object({ codec: text, width: number, height: number })),
    audio: z.nullable(z.object({ codec: text })),
    key_frame_interval_s: z.nullable(number),
    publisher: z.nullable(z.object({ client_id: text, ip: text, program: text, since_ms: number })),
    nodes: z.array(z.object({
      name: text,
      self: z.boolean(),
      node_id: z.optional(text),
      role: z.enum(["owner", "relay", "waiting"]),
      viewers: number,
      send_kbps: number,
      stream_id: text,
    })),
  })),
  nodes: z.array(z.object({ ...ASKED, streams: number })),
});

export const CLUSTER_CLIENTS = z.object({
  total: number,
  clients: z.array(CLUSTER_CLIENT),
  nodes: z.array(z.object({ ...ASKED, clients: number })),
});

export const STREAM_ORIGIN = z.object({
  query: z.object({ ip: text, vhost: text, app: text, stream: text }),
  origin: z.nullable(z.object({ ip: text, port: number, vhost: text, api: text, routers: z.array(text) })),
});
