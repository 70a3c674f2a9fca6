import { RtmpError } from "./errors.ts";

/** The vhost that stands for every host that no other vhost is named for. */
export const DEFAULT_VHOST = "__defaultVhost__";
/** The app of a stream that has none. */
export const DEFAULT_APP = "__defaultApp__";
const RTMP_PORT = 1935;
/** Longest tcUrl, in bytes of UTF-8. */
const MAX_TC_URL_BYTES = 4096;
/** Longest parameters of a stream, those of its tcUrl included, in bytes of UTF-8. */
const MAX_PARAMETERS_BYTES = 4096;
const SCHEME_FORM = /^[a-z][a-z0-9+.-]*$/i;
const AUTHORITY_FORM = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/s;

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
 * so a slash in one is only a slash; a `#` is a character like others; only `.flv` is an extension, so `room.1` and `room.2` are two
 * streams; and a path of one segment is a stream without an app.
 *
 * @param tcUrl Such as `rtmp://host:1935/live?vhost=a.com`.
 * @param streamName Such as `livestream?token=x`; may be empty.
 * @param maxBytes Longest app and stream together, in bytes of UTF-8.
 * @throws {RtmpError} `bad-tc-url` for what is no RTMP URL or too long, `bad-stream-name` when name or parameters are too long or have
 * control characters.
 */
export function parseStreamAddress(tcUrl: string, streamName: string, maxBytes: number = 512): StreamAddress {
  checkTcUrl(tcUrl);
  const [urlPath, urlQuery] = splitQuery(tcUrl.replaceAll("...vhost...", "?vhost="));
  const isCutUrl = urlQuery.endsWith(":") && streamName.startsWith("/");
  // A URL in the last parameter, which a client has cut at its last slash for a name: `?cover=http:` and `/1.2.3.4/x.png`.
  const [query, name] = isCutUrl
    ? [`${urlQuery}/${streamName}`, "?"]
    : [urlQuery, streamName.replaceAll("...vhost...", "?vhost=")];
  const [streamPath, streamQuery] = splitQuery(name);
  const parameters = [streamQuery, query].filter((part) => part !== "").join("&");
  checkParameters(parameters);
  const [scheme, authority, appPath] = splitUrl(urlPath.trim());
  const match = AUTHORITY_FORM.exec(authority);
  if (scheme === "" || match === null) {
    const url = printable(withoutLogin(`${scheme && `${scheme}://`}${authority}${appPath}`));
    throw new RtmpError("bad-tc-url", `Cannot read tcUrl: '${url}' is not scheme://host/app`);
  }
  const [, bracketedHost = "", portText = ""] = match;
  const port = portText === "" ? (scheme === "rtmps" ? 443 : RTMP_PORT) : Number(portText);
  if (port < 1 || port > 65535) {
    throw new RtmpError(
      "bad-tc-url",
      `Cannot read tcUrl: port is ${portText.slice(0, 20)}, limit is 65535`,
    );
  }
  const host = bracketedHost.startsWith("[") ? bracketedHost.slice(1, -1) : bracketedHost;
  // The last segment of both together is the stream: `live/room` + `1` and `live` + `room/1` are the same, as in SRS. With no
  // name at all (the connect of a client that will name its stream later) everything is the app; clients that put all into the
  // tcUrl send an empty name, or only parameters.
  const segments = [...pathSegments(appPath), ...pathSegments(streamPath)];
  const stream = streamName === "" ? "" : stripFlv(segments.pop() ?? "");
  const app = segments.join("/") || DEFAULT_APP;
  const vhost = vhostOf(parameters) ?? (host || DEFAULT_VHOST);
  checkName(vhost, app, stream, maxBytes);
  if (CONTROL.test(parameters)) {
    throw new RtmpError(
      "bad-stream-name",
      "Cannot use the stream's parameters: they contain control characters",
    );
  }
  return {
    scheme,
    host,
    port,
    vhost,
    app,
    stream,
    parameters: onlyDefaultVhost(parameters) ? "" : parameters && `?${parameters}`,
  };
}

/**
 * What a client's connect says of where it is, as one URL: tcUrl, and the app where the tcUrl has none or is missing (nginx-rtmp's
 * `push rtmp://host;` says it only there). Without the user and password of `rtmp://user:password@host/app`: nobody asks for them,
 * and nobody is to see them. Linear in what the client sent.
 *
 * @param tcUrl May be empty, a path, or without a scheme.
 * @param app As sent, perhaps with parameters.
 */
export function connectUrl(tcUrl: string, app: string): string {
  const [scheme, host, path] = splitUrl(tcUrl.trim());
  const origin = `${scheme || "rtmp"}://${host}`;
  const queryAt = indexOfAny(path, "?");
  if (path.slice(0, queryAt).split("/").some((segment) => segment !== "")) return origin + path;
  const appQueryAt = indexOfAny(app, "?");
  const appPath = app.slice(0, appQueryAt).split("/").filter((segment) => segment !== "").join("/");
  if (appPath === "") return origin + path;
  const query = [app.slice(appQueryAt + 1), path.slice(queryAt + 1)].filter((part) => part !== "").join("&");
  return `${origin}/${appPath}${query === "" ? "" : `?${query}`}`;
}

/** What a live stream is filed under: `[vhost]/app/stream`, the vhost left out when it is the default one. */
export function streamKey(vhost: string, app: string, stream: string): string {
  return `${vhost === DEFAULT_VHOST ? "" : vhost}/${app}/${stream}`;
}

/** Takes a stream key apart: a vhost has no slash, and neither has a stream. */
export function splitStreamKey(key: string): { vhost: string; app: string; stream: string } {
  const first = key.indexOf("/");
  const last = key.lastIndexOf("/");
  return {
    vhost: key.slice(0, first) || DEFAULT_VHOST,
    app: key.slice(first + 1, last),
    stream: key.slice(last + 1),
  };
}

/** The value of one parameter in a `?a=b&c=d` text; `&`, `;` and `,` separate. */
export function parameterOf(parameters: string, name: string): string | undefined {
  return parametersOf(parameters, name)[0];
}

/** All values of one parameter, in order. */
export function parametersOf(parameters: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of parameters.replace(/^\?/, "").split(/[&;,?#]+/)) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals) === name) values.push(pair.slice(equals + 1));
  }
  return values;
}

/**
 * The parts of a URL, its user and password left out; the scheme in lower case, empty when there is none, the path with its slash and
 * all that follows.
 */
function splitUrl(url: string): [scheme: string, authority: string, path: string] {
  const schemeEnd = url.indexOf("://");
  const scheme = schemeEnd > 0 && SCHEME_FORM.test(url.slice(0, schemeEnd)) ? url.slice(0, schemeEnd) : "";
  const rest = scheme === "" ? url : url.slice(schemeEnd + 3);
  const pathAt = indexOfAny(rest, "/?");
  const authority = rest.slice(0, pathAt);
  return [scheme.toLowerCase(), authority.slice(authority.lastIndexOf("@") + 1), rest.slice(pathAt)];
}

/** Where the first of some characters stands, or the text's end. */
function indexOfAny(text: string, characters: string): number {
  let first = text.length;
  for (const character of characters) {
    const at = text.indexOf(character);
    if (at >= 0 && at < first) first = at;
  }
  return first;
}

/** Path and query, the query without the separators around it. No regular expression: one for both ends would backtrack. */
function splitQuery(text: string): [path: string, query: string] {
  const at = indexOfAny(text, "?");
  const query = text.slice(at + 1).trim();
  let start = 0;
  let end = query.length;
  while (start < end && isSeparator(query[start])) start++;
  while (end > start && isSeparator(query[end - 1])) end--;
  return [text.slice(0, at), query.slice(start, end)];
}

function isSeparator(character: string | undefined): boolean {
  return character === "?" || character === "&";
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

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

function checkTcUrl(tcUrl: string): void {
  const bytes = byteLength(tcUrl);
  if (bytes > MAX_TC_URL_BYTES) {
    throw new RtmpError("bad-tc-url", `Cannot read tcUrl: ${bytes} bytes, limit is ${MAX_TC_URL_BYTES}`);
  }
}

function checkParameters(parameters: string): void {
  const bytes = byteLength(parameters);
  if (bytes > MAX_PARAMETERS_BYTES) {
    throw new RtmpError(
      "bad-stream-name",
      `Cannot use the stream's parameters: ${bytes} bytes, limit is ${MAX_PARAMETERS_BYTES}`,
    );
  }
}

function checkName(vhost: string, app: string, stream: string, maxBytes: number): void {
  const name = `${app}/${stream}`;
  const bytes = byteLength(name);
  if (bytes > maxBytes) {
    throw new RtmpError("bad-stream-name", `Cannot use stream name: ${bytes} bytes, limit is ${maxBytes}`);
  }
  if (CONTROL.test(vhost)) {
    throw new RtmpError(
      "bad-tc-url",
      `Cannot use vhost '${printable(vhost)}': it contains control characters`,
    );
  }
  if (CONTROL.test(name)) {
    throw new RtmpError(
      "bad-stream-name",
      `Cannot use stream name '${printable(name)}': it contains control characters`,
    );
  }
}

/** What may be shown of a URL that can't be read: a password with a slash in it is not found where a login stands. */
function withoutLogin(url: string): string {
  return url.slice(url.lastIndexOf("@") + 1);
}

function printable(text: string): string {
  return text.slice(0, 200).replace(CONTROLS, "?");
}
