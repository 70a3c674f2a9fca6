// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import { redactUrl } from "../redact_url.ts";
import type { AudioSummary, ServerView, StreamSummary, VideoSummary } from "../server_view.ts";
import { envelope, failure, page, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import { kickAll } from "./kick.ts";
import { type KbpsJson, kbpsJson } from "./vhosts_routes.ts";

/** A stream's video: see `VideoSummary`. */
export interface VideoJson {
  readonly codec: string;
  readonly profile: string;
  readonly level: string;
  readonly width: number;
  readonly height: number;
}

/** A stream's audio: see `AudioSummary`. */
export interface AudioJson {
  readonly codec: string;
  /** In Hz. */
  readonly sample_rate: number;
  /** How many channels. */
  readonly channel: number;
  readonly profile: string;
}

/** A stream, in SRS's words; see `StreamSummary`. */
export interface StreamJson {
  readonly id: string;
  readonly name: string;
  /** The id of the vhost. */
  readonly vhost: string;
  readonly app: string;
  readonly tcUrl: string;
  /** The stream key: `[vhost]/app/stream`. */
  readonly url: string;
  /** The present, in milliseconds since 1970, as in SRS; not since when the stream lives. */
  readonly live_ms: number;
  readonly clients: number;
  readonly frames: number;
  readonly fps: number;
  readonly send_bytes: number;
  readonly recv_bytes: number;
  readonly kbps: KbpsJson;
  readonly publish: { readonly active: boolean; readonly cid?: string };
  readonly video: VideoJson | null;
  readonly audio: AudioJson | null;
}

/** What `/api/v1/streams` holds besides the envelope. */
export interface StreamsJson {
  readonly streams: readonly StreamJson[];
}

/**
 * `/api/v1/streams`, a page of them or one; `DELETE` closes the connections of its publisher and its players.
 *
 * @param guard Who may disconnect clients.
 * @param now Milliseconds since 1970.
 */
export function addStreamsRoutes(app: Hono, view: ServerView, guard: ChangeGuard, now: () => number): void {
  resource(app, "/api/v1/streams", {
    GET: (c) => {
      const nowMs = now();
      const streams = page(c, view.streams()).map((stream) => streamJson(stream, nowMs));
      return c.json(envelope<StreamsJson>(view, { streams }));
    },
  });
  resource(app, "/api/v1/streams/:id", {
    GET: (c) => {
      const stream = view.stream(c.req.param("id") ?? "");
      return stream === undefined
        ? failure(c, "streamNotFound")
        : c.json(envelope(view, { stream: streamJson(stream, now()) }));
    },
    DELETE: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      const stream = view.stream(c.req.param("id") ?? "");
      if (stream === undefined) return failure(c, "streamNotFound");
      return kickAll(c, view, [...view.clients()].filter(({ streamId }) => streamId === stream.id));
    },
  });
}

function streamJson(stream: StreamSummary, nowMs: number): StreamJson {
  const { active, clientId } = stream.publish;
  return {
    id: stream.id,
    name: stream.name,
    vhost: stream.vhostId,
    app: stream.app,
    tcUrl: redactUrl(stream.tcUrl),
    url: stream.url,
    live_ms: nowMs,
    clients: stream.clients,
    frames: stream.frames,
    fps: Math.round(stream.fps * 100) / 100,
    send_bytes: stream.sendBytes,
    recv_bytes: stream.receiveBytes,
    kbps: kbpsJson(stream.kbps),
    publish: clientId === undefined ? { active } : { active, cid: clientId },
    video: stream.video && videoJson(stream.video),
    audio: stream.audio && audioJson(stream.audio),
  };
}

function videoJson({ codec, profile, level, width, height }: VideoSummary): VideoJson {
  return { codec, profile, level, width, height };
}

function audioJson({ codec, sampleRate, channels, profile }: AudioSummary): AudioJson {
  return { codec, sample_rate: sampleRate, channel: channels, profile };
}
