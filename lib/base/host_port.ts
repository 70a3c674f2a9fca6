/** The HTTP API of a coworker, as it was named. */
export interface CoworkerAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** SRS's default for a coworker without a port. */
const HTTP_PORT = 80;

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
 *
 * @param defaultPort For a server without one; SRS's for coworkers is 80.
 * @throws {RangeError} When it is none of these.
 */
export function parseCoworkerAddress(text: string, defaultPort: number = HTTP_PORT): CoworkerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new RangeError(`Cannot read server: value is '${text}', expected host:port or [IPv6]:port`);
  }
  return { host: host.toLowerCase(), port };
}

/** Another RTMP server, as it was named. */
export interface OriginAddress extends CoworkerAddress {
  readonly isSecure: boolean;
}

/**
 * Reads `host[:port]`, `rtmp://host[:port]` or `rtmps://host[:port]`.
 *
 * @throws {RangeError} When it is none of these.
 */
export function parseOriginAddress(text: string): OriginAddress {
  const [, scheme = "rtmp", rest = ""] = /^(?:(rtmps?):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const isSecure = scheme.toLowerCase() === "rtmps";
  return { ...parseCoworkerAddress(rest, isSecure ? 443 : 1935), isSecure };
}

/** Joins a host and a port, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host is an IP address, which nothing has to be asked for. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || isIpv4Address(host);
}

/** Whether a host is four numbers with points between. */
export function isIpv4Address(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** The host of `host`, `host:port`, `[v6]:port` or a bare IPv6 address; brackets are taken off. */
export function hostOf(text: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(text);
  if (bracketed !== null) return bracketed[1] ?? "";
  const colon = text.indexOf(":");
  return colon < 0 || text.indexOf(":", colon + 1) >= 0 ? text : text.slice(0, colon);
}
