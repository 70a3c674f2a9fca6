import { formatIp, parseIp } from "../../base/ip_address.ts";
import type { HttpPeer } from "./http_handler.ts";

/** More than this of a header is not looked at: no chain of proxies is as long. */
const MAX_HOPS = 32;
const MAX_BYTES = 2048;
/** Longest entry of such a list: an address with its zone, in brackets, and a port. */
const MAX_NODE_LENGTH = 80;

/** What proxies say of a client. */
export interface ForwardedClient {
  readonly peer: HttpPeer;
  /** `X-Forwarded-For` and `Forwarded` name different clients; the first was believed. */
  readonly isContradicted: boolean;
}

/**
 * The client of a request that came through proxies: by X-Forwarded-For, else Forwarded, else X-Real-IP. Each proxy adds who asked it
 * at the end, so the list is walked from there: the first that is no trusted proxy is the client, and what stands before it is what that
 * client says of itself.
 *
 * @param peer Who sent the request.
 * @returns Undefined where the peer is no trusted proxy, or says nothing.
 */
export function forwardedClient(
  headers: readonly (readonly [name: string, value: string])[],
  peer: HttpPeer,
  isTrusted: (ip: string) => boolean,
): ForwardedClient | undefined {
  if (!isTrusted(peer.hostname)) return undefined;
  const list = (name: string) => {
    const values = headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(",").slice(-MAX_BYTES);
  };
  const forwardedFor = list("x-forwarded-for");
  const forwarded = list("forwarded");
  const byFor = forwardedFor === undefined ? undefined : walk(forwardedFor.split(","), peer, isTrusted);
  const byForwarded = forwarded === undefined ? undefined : walk(forValues(forwarded), peer, isTrusted);
  if (byFor !== undefined) {
    const isContradicted = byForwarded !== undefined && byForwarded.hostname !== byFor.hostname;
    return { peer: byFor, isContradicted };
  }
  if (byForwarded !== undefined) return { peer: byForwarded, isContradicted: false };
  const realIp = parseNode(list("x-real-ip") ?? "");
  return realIp === undefined ? undefined : { peer: realIp, isContradicted: false };
}

function walk(entries: readonly string[], peer: HttpPeer, isTrusted: (ip: string) => boolean): HttpPeer {
  let client = peer;
  for (const entry of entries.slice(-MAX_HOPS).reverse()) {
    const node = parseNode(entry);
    // Nobody knows who is behind it.
    if (node === undefined) return client;
    client = node;
    if (!isTrusted(node.hostname)) return client;
  }
  return client;
}

/** An address, with a port or without; undefined for what is none, such as `unknown`. */
function parseNode(text: string): HttpPeer | undefined {
  const entry = text.trim();
  if (entry.length > MAX_NODE_LENGTH) return undefined;
  // IPv6 without brackets has no port.
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(entry) ?? [entry, entry];
  const bytes = parseIp(match[1] ?? match[2] ?? "");
  return bytes === undefined ? undefined : { hostname: formatIp(bytes), port: Number(match[3] ?? 0) };
}

/** The values of `for` in RFC 7239's header, in order; an element without one is an entry that names nobody. */
function forValues(header: string): string[] {
  return splitOutsideQuotes(header, ",").map((element) => {
    const pair = splitOutsideQuotes(element, ";").find((pair) => /^\s*for\s*=/i.test(pair));
    const value = pair?.slice(pair.indexOf("=") + 1).trim() ?? "";
    return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
  });
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === "\\" && isQuoted) at++;
    else if (text[at] === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
