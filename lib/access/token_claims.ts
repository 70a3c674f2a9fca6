import { type AddressBlock, isInBlock, parseAddressBlock, parseIp } from "../base/ip_address.ts";
import { AccessRefusal } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";

/** How far the clock of who signs tokens may be from ours, in seconds. */
export const CLOCK_TOLERANCE_S = 60;
/** The year 2100, in seconds since 1970: what ends later was written in milliseconds, or is meant never to end. */
export const LATEST_EXP_S = 4_102_444_800;
/** Streams and addresses that one token may name. */
const MAX_NAMES = 64;

/** What a token whose signature is right lets its bearer do. */
export interface TokenClaims {
  readonly actions: ReadonlySet<AccessAction>;
  /** `app/stream` or `vhost/app/stream`; a `*` at the end stands for any text. */
  readonly streams: readonly string[];
  /** When it ends, in seconds since 1970. */
  readonly expiresAtS: number;
  /** From when on it counts, in seconds since 1970. */
  readonly startsAtS: number;
  /** Where its bearer must be; undefined: anywhere. */
  readonly addresses: readonly AddressBlock[] | undefined;
}

/**
 * Reads the claims of a token whose signature is right.
 *
 * @throws {AccessRefusal} When one is missing or not what it must be.
 */
export function readClaims(payload: Readonly<Record<string, unknown>>): TokenClaims {
  const { action, stream, exp, nbf, ip } = payload;
  const actions = textsOf("action", action, /[\s,]+/);
  if (!actions.every((each) => each === "publish" || each === "play")) {
    throw wrong("action", 'must be "publish", "play" or a list of these');
  }
  if (!Number.isSafeInteger(exp) || Number(exp) > LATEST_EXP_S) {
    throw wrong("exp", exp === undefined ? "is missing" : "must be seconds since 1970, before the year 2100");
  }
  if (nbf !== undefined && !Number.isSafeInteger(nbf)) throw wrong("nbf", "must be seconds since 1970");
  return {
    actions: new Set(actions as AccessAction[]),
    streams: textsOf("stream", stream),
    expiresAtS: Number(exp),
    startsAtS: Number(nbf ?? 0),
    addresses: ip === undefined ? undefined : textsOf("ip", ip).map(blockOf),
  };
}

/**
 * Compares a token's claims with what its bearer wants.
 *
 * @param nowS Seconds since 1970.
 * @throws {AccessRefusal} When it is for something else.
 */
export function checkClaims(claims: TokenClaims, request: AccessRequest, nowS: number): void {
  if (nowS >= claims.expiresAtS + CLOCK_TOLERANCE_S) {
    throw new AccessRefusal(`the token ended at ${timeOf(claims.expiresAtS)}`);
  }
  if (nowS < claims.startsAtS - CLOCK_TOLERANCE_S) {
    throw new AccessRefusal(`the token counts from ${timeOf(claims.startsAtS)} on`);
  }
  if (!claims.actions.has(request.action)) {
    throw new AccessRefusal(`the token is to ${[...claims.actions].join(" and ")}, not to ${request.action}`);
  }
  if (!namesOf(request).some((name) => claims.streams.some((pattern) => isMeant(pattern, name)))) {
    const [first = "", ...more] = claims.streams;
    const others = more.length === 0 ? "" : ` and ${more.length} others`;
    throw new AccessRefusal(`the token is for stream '${first.slice(0, 100)}'${others}`);
  }
  if (claims.addresses === undefined) return;
  const address = parseIp(request.ip);
  if (address === undefined || !claims.addresses.some((block) => isInBlock(address, block))) {
    throw new AccessRefusal("the token is for another address");
  }
}

/** What a token may call the stream: a client of one vhost among several may have a token for that vhost alone. */
function namesOf({ vhost, app, stream, streamKey }: AccessRequest): string[] {
  const names = [`${app}/${stream}`, `${vhost}/${app}/${stream}`];
  // A vhost that is known to its origins alone.
  return streamKey.startsWith("/") ? names : [...names, streamKey];
}

function isMeant(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** A claim that is a text or a list of texts, never empty. */
function textsOf(claim: string, value: unknown, separator?: RegExp): string[] {
  if (value === undefined) throw wrong(claim, "is missing");
  const texts = typeof value === "string" && separator !== undefined
    ? value.split(separator)
    : Array.isArray(value)
    ? value
    : [value];
  if (texts.length === 0 || texts.length > MAX_NAMES) throw wrong(claim, `must name 1 to ${MAX_NAMES}`);
  if (!texts.every((text) => typeof text === "string" && text !== "")) {
    throw wrong(claim, "must be a text or a list of texts");
  }
  return texts;
}

function blockOf(text: string): AddressBlock {
  try {
    return parseAddressBlock(text);
  } catch {
    throw wrong("ip", "must be an IP address or a block such as 10.0.0.0/8");
  }
}

function timeOf(seconds: number): string {
  // What no date can say is far in the past.
  return Math.abs(seconds) < LATEST_EXP_S
    ? new Date(seconds * 1000).toISOString()
    : `${seconds} s since 1970`;
}

function wrong(claim: string, problem: string): AccessRefusal {
  return new AccessRefusal(`the token's claim ${claim} ${problem}`);
}
