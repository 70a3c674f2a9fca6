import { inBackground } from "../base/background.ts";
import type { RtmpError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { DialAddress } from "../net/tcp.ts";
import { upstreamName } from "./upstream_target.ts";

/** An origin that could not be reached is left alone for this long, in milliseconds, doubled with each failure. */
const FIRST_BACK_OFF_MS = 250;
/** So that a healed origin is soon used again: it costs a probe, however many streams look for an origin. */
const MAX_BACK_OFF_MS = 500;

/** What is known of an origin that could not be reached. */
interface Health {
  failures: number;
  retryAtMs: number;
  isProbing: boolean;
}

/** Whether an origin speaks RTMP now. */
export type Probe = (origin: DialAddress) => Promise<boolean>;

/**
 * The origins of an edge: which to try, in which order. Shared by all streams, so what one learns helps all: an origin that could not
 * be reached is probed aside while streams look for one, and tried by none of them before it answers.
 */
export class OriginPool {
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #onAlive: () => void;
  #origins: readonly DialAddress[];
  readonly #health = new Map<string, Health>();

  /** @param onAlive An origin that could not be reached answers again: streams that look for one should look now. */
  constructor(
    origins: readonly DialAddress[],
    clock: Clock,
    probe: Probe,
    onAlive: () => void = () => {},
  ) {
    this.#origins = origins;
    this.#clock = clock;
    this.#probe = probe;
    this.#onAlive = onAlive;
  }

  /** Takes a new list; what is known of origins that stay is kept. */
  setOrigins(origins: readonly DialAddress[]): void {
    this.#origins = origins;
  }

  /** All origins for a stream: each stream begins at one of its own, chosen by its key, so that streams spread evenly. */
  all(key: string): DialAddress[] {
    const origins = this.#origins;
    const first = origins.length === 0 ? 0 : hash(key) % origins.length;
    return origins.map((_, index) => origins[(first + index) % origins.length] as DialAddress);
  }

  /** The origins to try now for a stream: all but those that could not be reached. */
  candidates(key: string): DialAddress[] {
    const nowMs = this.#clock.now();
    return this.all(key).filter((origin) => {
      const health = this.#health.get(upstreamName(origin));
      if (health === undefined) return true;
      if (!health.isProbing && health.retryAtMs <= nowMs) {
        inBackground(this.#look(origin, health), "probing an origin");
      }
      return false;
    });
  }

  /** Notes what came of trying an origin, however it was come by; another server than one of these is not noted. */
  tried(origin: DialAddress, error: RtmpError | undefined): void {
    const name = upstreamName(origin);
    if (!this.#origins.some((each) => upstreamName(each) === name)) return;
    if (error?.code === "unreachable") {
      const health = this.#health.get(name) ?? { failures: 0, retryAtMs: 0, isProbing: false };
      this.#health.set(name, health);
      this.#backOff(health);
    } else {
      this.#health.delete(name);
    }
  }

  async #look(origin: DialAddress, health: Health): Promise<void> {
    health.isProbing = true;
    let isAlive = false;
    try {
      isAlive = await this.#probe(origin);
    } finally {
      health.isProbing = false;
      if (!isAlive) this.#backOff(health);
      else if (this.#health.get(upstreamName(origin)) === health) this.#health.delete(upstreamName(origin));
    }
    if (isAlive) this.#onAlive();
  }

  #backOff(health: Health): void {
    health.retryAtMs = this.#clock.now() +
      Math.min(FIRST_BACK_OFF_MS * 2 ** health.failures, MAX_BACK_OFF_MS);
    health.failures++;
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
