// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import type { Kbps, ServerView, VhostSummary } from "../server_view.ts";
import { envelope, failure, resource } from "../middleware/answer.ts";

/** `/api/v1/vhosts`, all of them or one. */
export function addVhostsRoutes(app: Hono, view: ServerView): void {
  resource(app, "/api/v1/vhosts", {
    GET: (c) => c.json(envelope(view, { vhosts: Array.from(view.vhosts(), vhostJson) })),
  });
  resource(app, "/api/v1/vhosts/:id", {
    GET: (c) => {
      const vhost = view.vhost(c.req.param("id") ?? "");
      return vhost === undefined
        ? failure(c, "vhostNotFound")
        : c.json(envelope(view, { vhost: vhostJson(vhost) }));
    },
  });
}

function vhostJson(vhost: VhostSummary): Record<string, unknown> {
  return {
    id: vhost.id,
    name: vhost.name,
    enabled: vhost.isEnabled,
    clients: vhost.clients,
    streams: vhost.streams,
    send_bytes: vhost.sendBytes,
    recv_bytes: vhost.receiveBytes,
    kbps: kbpsJson(vhost.kbps),
    hls: { enabled: false },
  };
}

/** Rates as SRS writes them, in kilobits per second, whole numbers. */
export interface KbpsJson {
  readonly recv_30s: number;
  readonly send_30s: number;
}

/** Rates as JSON. */
export function kbpsJson(kbps: Kbps): KbpsJson {
  return { recv_30s: Math.round(kbps.recv30s), send_30s: Math.round(kbps.send30s) };
}
