import { formatIp, isIpv4, parseIp } from "../../base/ip_address.ts";

/** So many failures of one address in a row cost nothing: somebody mistypes a password. */
const FREE_FAILURES = 5;
/** The first wait, in milliseconds; each further failure doubles it. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;
/** Failures are forgotten after so long without another one, in milliseconds. */
const FORGET_MS = 600_000;
/** Addresses that are remembered: when there are more, those that failed longest ago are forgotten. */
const MAX_ADDRESSES = 4096;

interface Failures {
  count: number;
  lastMs: number;
}

/**
 * Who has failed to log in, by address; who guesses passwords soon has one guess a minute. An IPv6 address counts with its whole /64,
 * which is what one subscriber has.
 */
export class LoginAttempts {
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  /** How long an address has to wait before its credentials are looked at, in milliseconds; 0: not at all. */
  waitMs(address: string, nowMs: number): number {
    const failures = this.#failures.get(network(address));
    if (failures === undefined || failures.count < FREE_FAILURES) return 0;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures.count - FREE_FAILURES), MAX_WAIT_MS);
    return Math.max(0, failures.lastMs + waitMs - nowMs);
  }

  fail(address: string, nowMs: number): void {
    const key = network(address);
    const before = this.#failures.get(key);
    const isRecent = before !== undefined && nowMs - before.lastMs < FORGET_MS;
    this.#failures.delete(key);
    this.#failures.set(key, { count: isRecent ? before.count + 1 : 1, lastMs: nowMs });
    for (const [oldest] of this.#failures) {
      if (this.#failures.size <= MAX_ADDRESSES) break;
      this.#failures.delete(oldest);
    }
  }

  succeed(address: string): void {
    this.#failures.delete(network(address));
  }
}

/** The first half of an IPv6 address, written in whichever way; an IPv4 address, or what is none, as it is. */
function network(address: string): string {
  const bytes = parseIp(address);
  return bytes === undefined || isIpv4(bytes) ? address : formatIp(bytes.fill(0, 8));
}
