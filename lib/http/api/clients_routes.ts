import type { Handler, Hono } from "hono";
import { redactUrl } from "../redact_url.ts";
import type { ClientSummary, ServerView } from "../server_view.ts";
import { refuseForeignPage } from "../middleware/foreign_page.ts";
import { envelope, failure, page, resource } from "../middleware/answer.ts";
import { kbpsJson } from "./vhosts_routes.ts";

/**
 * `/api/v1/clients`, a page of them or one; `DELETE` closes one's connection.
 *
 * @param now Milliseconds since 1970.
 */
export function addClientsRoutes(app: Hono, view: ServerView, now: () => number): void {
  const kick: Handler = (c) => {
    const refused = refuseForeignPage(c);
    if (refused !== undefined) return refused;
    const client = view.client(c.req.param("id") ?? "");
    if (client === undefined) return failure(c, "clientNotFound");
    return view.kick(client.id) ? c.json(envelope(view)) : failure(c, "clientGone");
  };
  resource(app, "/api/v1/clients", {
    GET: (c) => {
      const nowMs = now();
      const clients = page(c, view.clients()).map((client) => clientJson(client, nowMs));
      return c.json(envelope(view, { clients }));
    },
    DELETE: kick,
  });
  resource(app, "/api/v1/clients/:id", {
    GET: (c) => {
      const client = view.client(c.req.param("id") ?? "");
      return client === undefined
        ? failure(c, "clientNotFound")
        : c.json(envelope(view, { client: clientJson(client, now()) }));
    },
    DELETE: kick,
  });
}

function clientJson(client: ClientSummary, nowMs: number): Record<string, unknown> {
  return {
    id: client.id,
    vhost: client.vhostId,
    stream: client.streamId,
    ip: client.ip,
    pageUrl: redactUrl(client.pageUrl),
    swfUrl: redactUrl(client.swfUrl),
    tcUrl: redactUrl(client.tcUrl),
    url: client.url,
    name: client.name,
    type: client.type,
    publish: client.isPublisher,
    alive: Math.max(0, nowMs - client.connectedAtMs) / 1000,
    send_bytes: client.sendBytes,
    recv_bytes: client.receiveBytes,
    kbps: kbpsJson(client.kbps),
    jumps: client.jumps,
  };
}
