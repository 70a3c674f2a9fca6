import { RtmpError } from "./errors.ts";

/** The vhost that stands for every host that no other vhost is named for. */
export const DEFAULT_VHOST = "__defaultVhost__";
const DEFAULT_APP = "__defaultApp__";
const RTMP_PORT = 1935;

/** What a tcUrl and a stream name say together. */
export interface StreamAddress {
  /** `rtmp` or `rtmps`. */
  readonly scheme: string;
  /** The host that the client dialled, as written in the tcUrl. */
  readonly host: string;
  readonly port: number;
  /** From the parameter `vhost`, else `domain`, else the host; not yet looked up in the configuration. */
  readonly vhost: string;
  /** May have several segments: `a/b`. */
  readonly app: string;
  /** Without a `.flv` ending. Empty while only the tcUrl is known. */
  readonly stream: string;
  /** The parameters, with a leading `?`, or empty. Hold tokens: never logged. */
  readonly parameters: string;
}

/**
 * Reads a stream's address by SRS's rules (`srs_discovery_tc_url`), without its faults: parameters are split off before the path is,
 * so a slash in one is only a slash, and only `.flv` is an extension, so `room.1` and `room.2` are two streams.
 *
 * @param tcUrl Such as `rtmp://host:1935/live?vhost=a.com`.
 * @param streamName Such as `livestream?token=x`; may be empty.
 * @param maxBytes Longest app and stream together, in bytes of UTF-8.
 * @throws {RtmpError} `bad-tc-url` for what is no RTMP URL, `bad-stream-name` when too long or with control characters.
 */
export function parseStreamAddress(tcUrl: string, streamName: string, maxBytes: number = 512): StreamAddress {
  const [urlPath, urlQuery] = splitQuery(tcUrl.replaceAll("...vhost...", "?vhost="));
  const [streamPath, streamQuery] = splitQuery(streamName.replaceAll("...vhost...", "?vhost="));
  const match = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|[^/:]*)(?::(\d+))?(?:\/(.*))?$/is.exec(urlPath.trim());
  if (match === null) {
    throw new RtmpError("bad-tc-url", `Cannot read tcUrl: '${printable(urlPath)}' is not scheme://host/app`);
  }
  const [, scheme = "rtmp", host = "", portText, appPath = ""] = match;
  const port = portText === undefined
    ? (scheme.toLowerCase() === "rtmps" ? 443 : RTMP_PORT)
    : Number(portText);
  if (port < 1 || port > 65535) {
    throw new RtmpError("bad-tc-url", `Cannot read tcUrl: port is ${portText}, limit is 65535`);
  }
  const appSegments = pathSegments(appPath);
  const nameSegments = pathSegments(streamPath);
  const parameters = [streamQuery, urlQuery].filter((query) => query !== "").join("&");
  // The last segment of both together is the stream: `live/room` + `1` and `live` + `room/1` are the same, as in SRS. With no
  // name at all (the connect of a client that will name its stream later) everything is the app; old clients that put all into
  // the tcUrl send only parameters as the name.
  const segments = [...appSegments, ...nameSegments];
  const isNamed = nameSegments.length > 0 || (streamName !== "" && segments.length > 1);
  const stream = isNamed ? stripFlv(segments.pop() ?? "") : "";
  const app = segments.join("/") || DEFAULT_APP;
  const vhost = vhostOf(parameters) ?? (host.replace(/^\[|\]$/g, "") || DEFAULT_VHOST);
  checkName(vhost, app, stream, maxBytes);
  return {
    scheme: scheme.toLowerCase(),
    host: host.replace(/^\[|\]$/g, ""),
    port,
    vhost,
    app,
    stream,
    parameters: onlyDefaultVhost(parameters) ? "" : parameters && `?${parameters}`,
  };
}

/** What a live stream is filed under: `[vhost]/app/stream`, the vhost left out when it is the default one. */
export function streamKey(vhost: string, app: string, stream: string): string {
  return `${vhost === DEFAULT_VHOST ? "" : vhost}/${app}/${stream}`;
}

/** The value of one parameter in a `?a=b&c=d` text; `&`, `;` and `,` separate. */
export function parameterOf(parameters: string, name: string): string | undefined {
  for (const pair of parameters.replace(/^\?/, "").split(/[&;,?#]+/)) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals) === name) return pair.slice(equals + 1);
  }
  return undefined;
}

/** Joins a host and a port, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function splitQuery(text: string): [string, string] {
  const at = text.search(/[?#]/);
  if (at < 0) return [text, ""];
  const path = text.slice(0, at);
  const query = text.slice(at + 1);
  return [path, query.replace(/^[?&]+|[?&]+$/g, "")];
}

function pathSegments(path: string): string[] {
  return path.replace(/[ \r\n\t]/g, "").split("/").filter((segment) =>
    segment !== "" && segment !== "_definst_"
  );
}

function stripFlv(name: string): string {
  return name.endsWith(".flv") && name.length > 4 ? name.slice(0, -4) : name;
}

function vhostOf(parameters: string): string | undefined {
  for (const name of ["vhost", "domain"]) {
    const value = parameterOf(parameters, name)?.replace(/[/ \r\n\t]/g, "");
    if (value !== undefined && value !== "" && value !== DEFAULT_VHOST) return value;
  }
  return undefined;
}

function onlyDefaultVhost(parameters: string): boolean {
  return parameters === `vhost=${DEFAULT_VHOST}`;
}

function checkName(vhost: string, app: string, stream: string, maxBytes: number): void {
  const name = `${app}/${stream}`;
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > maxBytes) {
    throw new RtmpError("bad-stream-name", `Cannot use stream name: ${bytes} bytes, limit is ${maxBytes}`);
  }
  // deno-lint-ignore no-control-regex
  const hasControl = (text: string) => /[\x00-\x1f\x7f]/.test(text);
  if (hasControl(vhost)) {
    throw new RtmpError("bad-tc-url", `Cannot use vhost '${printable(vhost)}': it has control characters`);
  }
  if (hasControl(name)) {
    throw new RtmpError(
      "bad-stream-name",
      `Cannot use stream name '${printable(name)}': it has control characters`,
    );
  }
}

function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f]/g, "?").slice(0, 200);
}
