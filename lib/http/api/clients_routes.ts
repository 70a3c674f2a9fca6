// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Handler, Hono } from "hono";
import { redactUrl } from "../redact_url.ts";
import type { ClientSummary, ClientType, ServerView } from "../server_view.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import { envelope, failure, page, resource } from "../middleware/answer.ts";
import { kickByQuery } from "./kick.ts";
import { type KbpsJson, kbpsJson } from "./vhosts_routes.ts";

/** A client, in SRS's words; see `ClientSummary`. */
export interface ClientJson {
  readonly id: string;
  /** Ids, of the vhost and of the stream. */
  readonly vhost: string;
  readonly stream: string;
  readonly ip: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly tcUrl: string;
  /** The stream key. */
  readonly url: string;
  readonly name: string;
  readonly type: ClientType;
  readonly publish: boolean;
  /** Seconds since it connected. */
  readonly alive: number;
  readonly send_bytes: number;
  readonly recv_bytes: number;
  readonly kbps: KbpsJson;
  readonly jumps: number;
}

/** What `/api/v1/clients` holds besides the envelope. */
export interface ClientsJson {
  readonly clients: readonly ClientJson[];
}

/**
 * `/api/v1/clients`, a page of them or one; `DELETE` closes one's connection, or those of all that the query names.
 *
 * @param guard Who may disconnect clients.
 * @param now Milliseconds since 1970.
 */
export function addClientsRoutes(app: Hono, view: ServerView, guard: ChangeGuard, now: () => number): void {
  const kick: Handler = (c) => {
    const refused = guard(c);
    if (refused !== undefined) return refused;
    const client = view.client(c.req.param("id") ?? "");
    if (client === undefined) return failure(c, "clientNotFound");
    return view.kick(client.id) ? c.json(envelope(view)) : failure(c, "clientGone");
  };
  resource(app, "/api/v1/clients", {
    GET: (c) => {
      const nowMs = now();
      const clients = page(c, view.clients()).map((client) => clientJson(client, nowMs));
      return c.json(envelope<ClientsJson>(view, { clients }));
    },
    DELETE: (c) => guard(c) ?? kickByQuery(c, view) ?? failure(c, "clientNotFound"),
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

function clientJson(client: ClientSummary, nowMs: number): ClientJson {
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
