/**
 * SRS's question to a coworker, whether it owns a stream, and the answers that SRS accepts.
 *
 * @module
 */

/** A stream that a coworker is asked for. */
export interface StreamQuery {
  /** The vhost's configured name. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** The host that the player dialled; SRS's `ip`. */
  readonly host: string;
}

/** Where a coworker says that a stream is. */
export interface StreamOrigin {
  /** Address or name, without brackets. */
  readonly ip: string;
  readonly port: number;
  /** The vhost that it was published to; empty when the coworker did not say. */
  readonly vhost: string;
}

/** Longest answer read, in bytes. */
export const MAX_QUERY_ANSWER_BYTES: number = 64 * 1024;

/**
 * The path of the question. Values are percent-encoded, but for what may stand in a query as it is: SRS sends raw values, and who reads
 * only these finds `host:port` and `a/b` as it expects them. Parameters of the player (tokens) are never sent.
 *
 * @param coworker The coworker as it was named: the name that a node behind NAT gives as its own.
 */
export function streamQueryPath(query: StreamQuery, coworker: string): string {
  const values = [
    ["vhost", query.vhost],
    ["ip", query.host],
    ["app", query.app],
    ["stream", query.stream],
    ["coworker", coworker],
  ] as const;
  return `/api/v1/clusters?${values.map(([key, value]) => `${key}=${encodeValue(value)}`).join("&")}`;
}

function encodeValue(value: string): string {
  // Lone surrogates, which can't be encoded, become U+FFFD.
  return encodeURIComponent(value.toWellFormed()).replace(/%(?:3A|2F|40|5B|5D)/g, decodeURIComponent);
}

/**
 * Reads an answer as SRS does: `code` 0, `data.origin` with `ip` and `port`; everything else is no owner.
 *
 * @returns null when the coworker says properly that it is not the owner; undefined for what is not an answer at all.
 */
export function readStreamAnswer(text: string): StreamOrigin | null | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const data = property(answer, "data");
  if (property(answer, "code") !== 0 || typeof data !== "object" || data === null) return undefined;
  const origin = property(data, "origin");
  if (origin === null || origin === undefined) return null;
  const ip = property(origin, "ip");
  const port = property(origin, "port");
  const vhost = property(origin, "vhost");
  if (typeof ip !== "string" || typeof port !== "number" || !Number.isInteger(port)) return undefined;
  // SRS ends the player (3092) for an empty ip or port 0, and would put any other text into a URL.
  const host = ip.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9._:%-]{1,255}$/.test(host) || port < 1 || port > 65_535) return undefined;
  return {
    ip: host,
    port,
    vhost: typeof vhost === "string" && /^[^\s/?&#]{1,255}$/.test(vhost) ? vhost : "",
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
