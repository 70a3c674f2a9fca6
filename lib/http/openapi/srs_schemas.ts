/**
 * The answers of the routes that are SRS's, and of those in its manner, as schemas: what the document of the API says of them. The
 * answers themselves are made where the routes are; a test parses each by its schema.
 *
 * @module
 */
import * as z from "zod/mini";

const number = z.number();
const text = z.string();

const KBPS = z.object({ recv_30s: number, send_30s: number });
const VIDEO = z.object({ codec: text, profile: text, level: text, width: number, height: number });
const AUDIO = z.object({ codec: text, sample_rate: number, channel: number, profile: text });

export const STREAM = z.object({
  id: text,
  name: text,
  vhost: text,
  app: text,
  tcUrl: text,
  url: text,
  live_ms: number,
  clients: number,
  frames: number,
  fps: number,
  send_bytes: number,
  recv_bytes: number,
  kbps: KBPS,
  publish: z.object({ active: z.boolean(), cid: z.optional(text) }),
  video: z.nullable(VIDEO),
  audio: z.nullable(AUDIO),
});

export const CLIENT = z.object({
  id: text,
  vhost: text,
  stream: text,
  ip: text,
  pageUrl: text,
  swfUrl: text,
  tcUrl: text,
  url: text,
  name: text,
  type: text,
  publish: z.boolean(),
  alive: number,
  send_bytes: number,
  recv_bytes: number,
  kbps: KBPS,
  jumps: number,
});

export const VHOST = z.object({
  id: text,
  name: text,
  enabled: z.boolean(),
  clients: number,
  streams: number,
  send_bytes: number,
  recv_bytes: number,
  kbps: KBPS,
  hls: z.object({ enabled: z.boolean() }),
});

export const FORWARD = z.object({
  vhost: text,
  app: text,
  stream: text,
  to: text,
  url: text,
  state: z.enum(["connecting", "forwarding", "waiting"]),
  since_ms: number,
  send_bytes: number,
  retries: number,
  last_error: z.nullable(text),
});

export const RECORDING = z.object({
  id: text,
  vhost: text,
  app: text,
  stream: text,
  state: z.enum(["waiting", "recording", "paused", "ended"]),
  requested: z.boolean(),
  started_at_ms: number,
  duration_ms: number,
  bytes: number,
  files: number,
  file: z.nullable(text),
  last_error: z.nullable(text),
});

const COUNTS = z.object({ publishers: number, players: number });
export const DRAIN = z.object({
  state: z.enum(["off", "announced", "draining", "closing", "drained"]),
  started_at_ms: z.nullable(number),
  grace_ends_at_ms: z.nullable(number),
  moved: COUNTS,
  closed: COUNTS,
  left: COUNTS,
});

export const VERSIONS = z.object({ major: number, minor: number, revision: number, version: text });

export const SUMMARIES = z.object({
  ok: z.boolean(),
  now_ms: number,
  self: z.object({
    version: text,
    pid: number,
    ppid: number,
    argv: text,
    cwd: text,
    mem_kbyte: number,
    mem_percent: number,
    cpu_percent: number,
    srs_uptime: number,
  }),
  system: z.record(text, number),
});

/** What the operating system says: numbers by name, beside a few texts. */
export const SYSTEM_VALUES = z.record(text, z.union([number, text, z.boolean()]));

/** Names of what is below, with what it is. */
export const NAMES = z.record(text, text);
