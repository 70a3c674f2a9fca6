import { showValue } from "./raw_config.ts";

/** One address that the server listens on. */
export interface ListenAddress {
  /** IP address or name; absent: every address of the machine, IPv6 included where the machine has it. */
  readonly hostname?: string;
  /** 0: a free port that the system picks. */
  readonly port: number;
  /** The text as it was written: SRS's API repeats it. */
  readonly literal: string;
}

/** Each is held against all the others. */
const MAX_ADDRESSES = 64;

/**
 * Reads `PORT`, `"PORT"`, `"IP:PORT"`, `"[v6]:PORT"`, or an array of these. Of a port alone, `0.0.0.0` and `[::]`
 * with the same port, any two are one listen on every address, since each would take the port of the others.
 *
 * @throws {RangeError} With the text that is wrong and what it should be.
 */
export function parseListen(value: unknown): ListenAddress[] {
  const entries = Array.isArray(value) ? value : [value];
  if (entries.length === 0) throw new RangeError(`value is [], must name at least one port`);
  if (entries.length > MAX_ADDRESSES) {
    throw new RangeError(`value names ${entries.length} addresses, must be at most ${MAX_ADDRESSES}`);
  }
  const addresses = entries.map(parseListenAddress);
  return addresses.flatMap((address, index) => {
    if (!isWildcard(address)) return [address];
    const { port, literal } = address;
    const same = addresses.map((other) => isWildcard(other) && other.port === port && port !== 0);
    if (same.indexOf(true) === same.lastIndexOf(true)) return [address];
    return same.indexOf(true) === index ? [{ port, literal }] : [];
  });
}

function parseListenAddress(value: unknown): ListenAddress {
  const literal = typeof value === "number" ? String(value) : value;
  const match = typeof literal === "string"
    ? /^(?:(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s/]+)):)?(\d{1,5})$/.exec(literal.trim())
    : null;
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (typeof literal !== "string" || match === null || port > 65535 || !isHostname(hostname)) {
    throw new RangeError(
      `value is ${showValue(value)}, must be PORT, "IP:PORT" or "[IPv6]:PORT", PORT up to 65535`,
    );
  }
  const everywhere = hostname === undefined || hostname === "*";
  return everywhere ? { port, literal: literal.trim() } : { hostname, port, literal: literal.trim() };
}

function isHostname(hostname: string | undefined): boolean {
  if (hostname === undefined || !/^[\d.]+$/.test(hostname)) return true;
  const parts = hostname.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** Whether two addresses cannot both be listened on by different servers. */
export function addressesClash(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return isWildcard(a) || isWildcard(b) || a.hostname === b.hostname;
}

function isWildcard({ hostname }: ListenAddress): boolean {
  return hostname === undefined || hostname === "0.0.0.0" || hostname === "::";
}

/**
 * Whether a text names another server: `host`, `host:port`, `[v6]` or `[v6]:port`.
 * A scheme or a path is refused, since SRS has neither here.
 */
export function isHostAndPort(text: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null || !isHostname(match[1])) return false;
  return match[2] === undefined || (Number(match[2]) >= 1 && Number(match[2]) <= 65535);
}
