import type { RtmpError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { hostAndPort } from "../base/stream_address.ts";
import type { SocketAddress } from "../net/tcp.ts";

/** An origin that could not be reached is left alone for this long, in milliseconds, doubled with each failure. */
const FIRST_BACK_OFF_MS = 250;
/** So that a healed origin is soon used again. */
const MAX_BACK_OFF_MS = 2000;

interface Health {
  failures: number;
  retryAtMs: number;
}

/** The origins of an edge: which to try, in which order. Shared by all streams, so what one learns helps all. */
export class OriginPool {
  readonly #clock: Clock;
  #origins: readonly SocketAddress[];
  readonly #health = new Map<string, Health>();

  constructor(origins: readonly SocketAddress[], clock: Clock) {
    this.#origins = origins;
    this.#clock = clock;
  }

  /** Takes a new list; what is known of origins that stay is kept. */
  setOrigins(origins: readonly SocketAddress[]): void {
    this.#origins = origins;
  }

  /**
   * The origins to try now for a stream: each stream begins at an origin of its own, chosen by its key, so that streams spread evenly;
   * those that could not be reached just now are left out until their time is over.
   */
  candidates(key: string): SocketAddress[] {
    const origins = this.#origins;
    const first = origins.length === 0 ? 0 : hash(key) % origins.length;
    const nowMs = this.#clock.now();
    return origins.map((_, index) => origins[(first + index) % origins.length] as SocketAddress)
      .filter((origin) => (this.#health.get(nameOf(origin))?.retryAtMs ?? 0) <= nowMs);
  }

  /** Notes what came of trying an origin. */
  tried(origin: SocketAddress, error: RtmpError | undefined): void {
    const name = nameOf(origin);
    if (error?.code !== "unreachable") {
      this.#health.delete(name);
      return;
    }
    const failures = (this.#health.get(name)?.failures ?? 0) + 1;
    const backOffMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (failures - 1), MAX_BACK_OFF_MS);
    this.#health.set(name, { failures, retryAtMs: this.#clock.now() + backOffMs });
  }
}

function nameOf(origin: SocketAddress): string {
  return hostAndPort(origin.hostname, origin.port);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
