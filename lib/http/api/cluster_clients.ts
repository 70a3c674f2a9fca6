// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import * as z from "zod/mini";
import { redactUrl } from "../redact_url.ts";
import type { ClientSummary, ServerView } from "../server_view.ts";
import { BadQuery, type ListQuery, type Orders, select } from "./listing.ts";

/** Longest text that another node is believed to mean, in characters. */
const text = z.string().check(z.maxLength(4096));
const name = z.string().check(z.maxLength(1024));
const amount = z.number().check(z.gte(0));

/** Clients of one node that are listed, and how far into the list a page may reach. */
export const MAX_NODE_CLIENTS = 10_000;

/** A client at one node, as nodes tell each other. */
export const NODE_CLIENT = z.object({
  id: name,
  ip: name,
  /** The stream key: `[vhost]/app/stream`. */
  url: text,
  vhost: name,
  type: name,
  publish: z.boolean(),
  /** Milliseconds since 1970. */
  connected_at_ms: amount,
  send_bytes: amount,
  recv_bytes: amount,
  /** Kilobits (1000 bits) per second over 30 seconds. */
  send_kbps: amount,
  recv_kbps: amount,
  /** How often it fell too far behind and was moved on to a newer key frame. */
  jumps: amount,
  page_url: text,
});

/** What a node answers when another asks for its clients: the first of those that were asked for, and how many there are. */
export const NODE_CLIENTS = z.object({
  total: amount,
  clients: z.array(NODE_CLIENT).check(z.maxLength(MAX_NODE_CLIENTS)),
});

/** A client of the cluster. */
export const CLUSTER_CLIENT = z.extend(NODE_CLIENT, {
  /** Its node, as the node that answers knows it; `self` for itself. */
  node: name,
  /** By which the client can be disconnected; of SRS the node's name. */
  node_id: name,
});

export type NodeClientJson = z.output<typeof NODE_CLIENT>;
export type NodeClientsJson = z.output<typeof NODE_CLIENTS>;
export type ClusterClientJson = z.output<typeof CLUSTER_CLIENT>;

/** Which clients are asked for, beside what every list is asked. */
export interface ClientFilter {
  /** Stream key; absent: those of every stream. */
  readonly url?: string;
  readonly type?: "publish" | "play";
}

/** Orders that a node can make of what it knows. */
export const CLIENT_ORDERS: Orders<NodeClientJson> = {
  connected: ({ connected_at_ms }) => connected_at_ms,
  send_kbps: ({ send_kbps }) => send_kbps,
  recv_kbps: ({ recv_kbps }) => recv_kbps,
  jumps: ({ jumps }) => jumps,
  stream: ({ url }) => url,
  ip: ({ ip }) => ip,
};

/** @throws {BadQuery} With another type. */
export function readClientFilter(query: Readonly<Record<string, string>>): ClientFilter {
  const { url = "", type = "" } = query;
  if (type !== "" && type !== "publish" && type !== "play") {
    throw new BadQuery("Cannot list: type must be publish or play");
  }
  return { ...(url === "" ? {} : { url }), ...(type === "" ? {} : { type }) };
}

/** The clients of a node that a query asks for, sorted; of all pages. */
export function selectClients<T extends NodeClientJson>(
  clients: Iterable<T>,
  query: ListQuery,
  { url, type }: ClientFilter,
): T[] {
  const asked = [...clients].filter((client) =>
    (url === undefined || client.url === url) &&
    (type === undefined || client.publish === (type === "publish"))
  );
  return select(asked, query, CLIENT_ORDERS, clientWords, ({ id }) => id);
}

/** What a search looks into. */
function clientWords({ id, ip, url, vhost, type }: NodeClientJson): string[] {
  return [id, ip, url, vhost, type];
}

/** The clients of this node, as other nodes are told of them. */
export function* nodeClients(view: ServerView): Iterable<NodeClientJson> {
  const vhosts = new Map(Array.from(view.vhosts(), ({ id, name }) => [id, name]));
  for (const client of view.clients()) yield nodeClient(client, vhosts.get(client.vhostId) ?? "");
}

function nodeClient(client: ClientSummary, vhost: string): NodeClientJson {
  return {
    id: client.id,
    ip: client.ip,
    url: client.url,
    vhost,
    type: client.type,
    publish: client.isPublisher,
    connected_at_ms: client.connectedAtMs,
    send_bytes: client.sendBytes,
    recv_bytes: client.receiveBytes,
    send_kbps: Math.round(client.kbps.send30s),
    recv_kbps: Math.round(client.kbps.recv30s),
    jumps: client.jumps,
    page_url: redactUrl(client.pageUrl),
  };
}
