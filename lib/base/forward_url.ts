import { type StreamAddress } from "./stream_address.ts";
import { hostAndPort } from "./host_port.ts";

/** Schemes, and the ports that they mean. */
const PORTS = { rtmp: 1935, rtmps: 443 } as const;

/** Longest URL with its key, in characters. */
const MAX_LENGTH = 4096;

/** A server to forward to, as configured: `[vhost]`, `[app]` and `[stream]` in it stand for the publisher's. */
export interface ForwardUrl {
  readonly scheme: keyof typeof PORTS;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty: the publisher's. */
  readonly app: string;
  /** The stream's name or key with its parameters, as the other server is to get it; empty: the publisher's. */
  readonly stream: string;
}

/**
 * Reads `rtmp://host[:port][/app[/stream]]`, or `rtmps://`. Parameters belong to the stream: what follows the last slash before a `?` is
 * taken as it is, since keys hold `?`, `&`, `=` and slashes.
 *
 * @param key Its own key; absent: the URL ends with it.
 * @throws {RangeError} When it is none; the message says nothing of the key.
 */
export function parseForwardUrl(url: string, key?: string): ForwardUrl {
  if (url.length + (key?.length ?? 0) > MAX_LENGTH) {
    throw new RangeError(`it is longer than ${MAX_LENGTH} characters`);
  }
  const match = /^(rtmps?):\/\/(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?(?=\/|$)/i.exec(url);
  const [whole, schemeText, bracketedHost, portText] = match ?? [];
  if (whole === undefined || schemeText === undefined || bracketedHost === undefined) {
    throw new RangeError("it is not rtmp://host[:port]/app/stream or rtmps://host[:port]/app/stream");
  }
  const scheme = schemeText.toLowerCase() as keyof typeof PORTS;
  const port = portText === undefined ? PORTS[scheme] : Number(portText);
  if (port < 1 || port > 65_535) throw new RangeError(`its port is ${port}, limit is 65535`);
  const path = url.slice(whole.length).replace(/^\/+/, "");
  // deno-lint-ignore no-control-regex -- what no name may have
  if (/[\u0000-\u001f\u007f]/.test(path + (key ?? ""))) throw new RangeError("it has control characters");
  const [app, stream] = key === undefined ? splitPath(path) : [withoutEndSlash(path), key];
  return { scheme, host: bracketedHost.replace(/^\[(.*)\]$/, "$1"), port, app, stream };
}

function splitPath(path: string): [app: string, stream: string] {
  const queryAt = path.indexOf("?");
  const end = queryAt < 0 ? path.length : queryAt;
  const slashAt = path.lastIndexOf("/", end - 1);
  if (slashAt < 0) return queryAt < 0 ? [path, ""] : [path.slice(0, end), path.slice(end)];
  return [path.slice(0, slashAt), path.slice(slashAt + 1)];
}

function withoutEndSlash(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** The names of a publisher's stream. */
export type StreamNames = Pick<StreamAddress, "vhost" | "app" | "stream">;

/** The URL for one stream: placeholders are replaced, and what is left out is the publisher's. */
export function urlOfStream(url: ForwardUrl, names: StreamNames): ForwardUrl {
  const fill = (text: string) =>
    text.replaceAll(/\[(vhost|app|stream)\]/g, (_, name: keyof StreamNames) => names[name]);
  return { ...url, app: fill(url.app) || names.app, stream: fill(url.stream) || names.stream };
}

/** The URL up to the app, with its port: the tcUrl. */
export function forwardTcUrl({ scheme, host, port, app }: ForwardUrl): string {
  return `${scheme}://${hostAndPort(host, port)}/${app}`;
}

/** Whether `app/stream` fits one of the patterns, in which `*` stands for any text; no patterns: every stream does. */
export function fitsPatterns(patterns: readonly string[], { app, stream }: StreamNames): boolean {
  if (patterns.length === 0) return true;
  const name = `${app}/${stream}`;
  return patterns.some((pattern) => fits(pattern, name));
}

/** Each piece between stars is looked for behind the one before, from left to right: no way back, so it takes linear time. */
function fits(pattern: string, name: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces[0] as string;
  if (pieces.length === 1) return name === first;
  const last = pieces.at(-1) as string;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) {
    return false;
  }
  const end = name.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/**
 * Reads what SRS's `destination` names: `host[:port]`, where the stream goes under the publisher's names, or a whole URL.
 *
 * @param isTls Whether `host[:port]` means RTMPS.
 * @throws {RangeError} When it is neither; the message says nothing of a key.
 */
export function parseForwardDestination(
  text: string,
  isTls: boolean = false,
): { readonly kind: "server" | "url"; readonly url: ForwardUrl } {
  if (text.includes("://")) return { kind: "url", url: parseForwardUrl(text) };
  if (!/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::\d{1,5})?$/.test(text)) {
    throw new RangeError("it is neither host:port nor an rtmp:// or rtmps:// URL");
  }
  return { kind: "server", url: parseForwardUrl(`${isTls ? "rtmps" : "rtmp"}://${text}`) };
}
