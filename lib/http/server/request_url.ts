import type { ByteDuplex } from "../../net/tcp.ts";
import { HttpError } from "./http_error.ts";
import type { ParsedRequest } from "./request_parser.ts";

/** A name, an IPv4 address or an IPv6 address in brackets, and a port. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/**
 * The URL that a request is for.
 *
 * @param connection Where it came to: the host of a client that names none (HTTP/1.0), and whether by HTTPS.
 * @throws {HttpError} 400.
 * @see RFC 9112, section 3.2
 */
export function requestUrl(
  { target, headers, minorVersion }: ParsedRequest,
  { localAddress: local, isSecure }: Pick<ByteDuplex, "localAddress" | "isSecure">,
): string {
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
  const named = hosts[0]?.[1];
  if (hosts.length > 1 || (named === undefined && minorVersion > 0)) {
    throw new HttpError(400, `Cannot read request: it has ${hosts.length} Host headers, must have one`);
  }
  const host = named ||
    `${local.hostname.includes(":") ? `[${local.hostname}]` : local.hostname}:${local.port}`;
  if (!HOST.test(host)) throw new HttpError(400, "Cannot read request: its Host is not a host name");
  // A fragment is never sent: this is the name of a stream, not encoded.
  const path = target.replaceAll("#", "%23");
  const origin = `${isSecure ? "https" : "http"}://${host}`;
  const url = /^https?:\/\//i.test(path) ? path : path === "*" ? `${origin}/` : `${origin}${path}`;
  if (!path.startsWith("/") && url === `${origin}${path}`) {
    throw new HttpError(400, "Cannot read request: its target is neither a path nor a URL");
  }
  try {
    return new URL(url).href;
  } catch {
    throw new HttpError(400, "Cannot read request: its URL is malformed");
  }
}
