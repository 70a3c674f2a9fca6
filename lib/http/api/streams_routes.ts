import type { Hono } from "hono";
import { redactUrl } from "../redact_url.ts";
import type { AudioSummary, ServerView, StreamSummary, VideoSummary } from "../server_view.ts";
import { envelope, failure, page, resource } from "../middleware/answer.ts";
import { kbpsJson } from "./vhosts_routes.ts";

/**
 * `/api/v1/streams`, a page of them or one.
 *
 * @param now Milliseconds since 1970.
 */
export function addStreamsRoutes(app: Hono, view: ServerView, now: () => number): void {
  resource(app, "/api/v1/streams", {
    GET: (c) => {
      const nowMs = now();
      const streams = page(c, view.streams()).map((stream) => streamJson(stream, nowMs));
      return c.json(envelope(view, { streams }));
    },
  });
  resource(app, "/api/v1/streams/:id", {
    GET: (c) => {
      const stream = view.stream(c.req.param("id") ?? "");
      return stream === undefined
        ? failure(c, "streamNotFound")
        : c.json(envelope(view, { stream: streamJson(stream, now()) }));
    },
  });
}

function streamJson(stream: StreamSummary, nowMs: number): Record<string, unknown> {
  const { active, clientId } = stream.publish;
  return {
    id: stream.id,
    name: stream.name,
    vhost: stream.vhostId,
    app: stream.app,
    tcUrl: redactUrl(stream.tcUrl),
    url: stream.url,
    // The present, as in SRS; not since when the stream lives.
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

function videoJson({ codec, profile, level, width, height }: VideoSummary): Record<string, unknown> {
  return { codec, profile, level, width, height };
}

function audioJson({ codec, sampleRate, channels, profile }: AudioSummary): Record<string, unknown> {
  return { codec, sample_rate: sampleRate, channel: channels, profile };
}
