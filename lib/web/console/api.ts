/// <reference lib="dom" />
import type { ClientsJson } from "../../http/api/clients_routes.ts";
import type { ForwardsJson } from "../../http/api/forwards_routes.ts";
import type { StreamsJson } from "../../http/api/streams_routes.ts";
import type { SummariesJson } from "../../http/api/summaries_routes.ts";
import type { ClusterNodeJson, ClusterNodesJson, ClusterStreamsJson } from "../../http/cluster_view.ts";
import type { EnvelopeJson } from "../../http/middleware/answer.ts";

/** How many streams and clients are asked for and shown. */
export const LIMIT = 1000;

export function getSummary(): Promise<EnvelopeJson & SummariesJson> {
  return get("/api/v1/summaries");
}

export function getStreams(): Promise<EnvelopeJson & StreamsJson> {
  return get(`/api/v1/streams?count=${LIMIT}`);
}

export function getClients(): Promise<EnvelopeJson & ClientsJson> {
  return get(`/api/v1/clients?count=${LIMIT}`);
}

export function getForwards(): Promise<EnvelopeJson & ForwardsJson> {
  return get(`/api/v1/forwards?count=${LIMIT}`);
}

/** @throws {Error} Where the server has no such route, or does not tell. */
export async function getClusterNodes(): Promise<readonly ClusterNodeJson[]> {
  const { data } = await get<{ readonly data: ClusterNodesJson }>("/api/v1/clusters/nodes?streams=false");
  return data.nodes;
}

/** @throws {Error} Where the server does not tell. */
export async function getClusterStreams(
  query: Readonly<Record<string, string | number>>,
): Promise<ClusterStreamsJson> {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const { data } = await get<{ readonly data: ClusterStreamsJson }>(`/api/v1/clusters/streams?${text}`);
  return data;
}

/** Disconnects a client; one that has gone already is no error. */
export async function kickClient(id: string): Promise<void> {
  await ask(`/api/v1/clients/${encodeURIComponent(id)}`, { method: "DELETE" });
}

async function get<T>(path: string): Promise<T> {
  const body = await ask(path);
  if (body === undefined) throw new Error("HTTP 404");
  return body as T;
}

/** Undefined: 404. Always of now: an answer with an ETag would come from the browser's cache, with loads of then. */
async function ask(path: string, options: RequestInit = {}): Promise<unknown> {
  const response = await fetch(path, { cache: "no-store", ...options });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const body = await response.json() as { readonly code: number };
  if (body.code !== 0) throw new Error(`code ${body.code}`);
  return body;
}
