import { splitStreamKey } from "../../base/stream_address.ts";
import { MAX_NODE_CLIENTS, type NodeClientJson } from "./cluster_clients.ts";

const MAX_NAME_LENGTH = 1024;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what SRS answers to `/api/v1/clients`, with patience: what is missing or of another kind is left out, as its versions differ.
 *
 * @returns Undefined for what is no such answer.
 */
export function readSrsClients(answer: Json, nowMs: number): NodeClientJson[] | undefined {
  const rows = answer["clients"];
  if (!Array.isArray(rows)) return undefined;
  return rows.slice(0, MAX_NODE_CLIENTS).filter(isObject).flatMap((row) => client(row, nowMs));
}

function client(row: Json, nowMs: number): NodeClientJson[] {
  const id = text(row["id"]);
  if (id === "") return [];
  const kbps = isObject(row["kbps"]) ? row["kbps"] : {};
  // SRS's `url` is our key: `/app/stream`, with the vhost before it where it is not the default one.
  const url = text(row["url"]);
  return [{
    id,
    ip: text(row["ip"]),
    url,
    vhost: url.includes("/") ? splitStreamKey(url).vhost : "",
    type: text(row["type"]),
    publish: row["publish"] === true,
    connected_at_ms: Math.max(0, Math.round(nowMs - amount(row["alive"]) * 1000)),
    send_bytes: amount(row["send_bytes"]),
    recv_bytes: amount(row["recv_bytes"]),
    send_kbps: amount(kbps["send_30s"]),
    recv_kbps: amount(kbps["recv_30s"]),
    jumps: 0,
    page_url: "",
  }];
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_NAME_LENGTH) : "";
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
