/// <reference lib="dom" />
import type { ListedStream } from "./streams.ts";

export type Protocol = "http" | "ws";

/** What is played. */
export interface Target {
  readonly title: string;
  /** Where it is on this server; empty for an address of its own. */
  readonly path: string;
  /** The addresses by protocol. */
  readonly http: string;
  readonly ws: string;
}

export function fromPath(path: string, title: string): Target {
  const address = new URL(path, location.href);
  return { title, path, http: address.href, ws: socketOf(address).href };
}

/** @throws {Error} For an address that is none, or of another protocol. */
export function fromAddress(text: string): Target {
  const address = new URL(text, location.href);
  if (!/^(https?|wss?):$/.test(address.protocol)) {
    throw new Error("Only http, https, ws and wss addresses can be played here.");
  }
  const http = new URL(address);
  if (isSocket(address)) http.protocol = address.protocol === "wss:" ? "https:" : "http:";
  const title = address.host === location.host
    ? decodeURIComponent(address.pathname)
    : address.host + address.pathname;
  return { title, path: "", http: http.href, ws: socketOf(http).href };
}

/** Which protocol an address asks for; undefined: any. */
export function protocolOf(text: string): Protocol | undefined {
  return isSocket(new URL(text, location.href)) ? "ws" : undefined;
}

/** @param streams Those that are listed: they know their paths. */
export function fromName(streams: readonly ListedStream[], name: string, vhost?: string | null): Target {
  const listed = streams.find((stream) =>
    `${stream.app}/${stream.name}` === name && (!vhost || stream.vhost === vhost)
  );
  if (listed?.flv !== undefined) return fromPath(listed.flv, name);
  const encoded = name.replace(/^\/+|\.flv$/g, "").split("/").map(encodeURIComponent).join("/");
  return fromPath(`/${encoded}.flv${vhost ? `?vhost=${encodeURIComponent(vhost)}` : ""}`, name);
}

function isSocket(address: URL): boolean {
  return address.protocol.startsWith("ws");
}

function socketOf(address: URL): URL {
  const socket = new URL(address);
  socket.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return socket;
}
