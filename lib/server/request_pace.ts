import { Allowance } from "../base/allowance.ts";
import type { Clock } from "../base/clock.ts";

/** Publishes and plays of one connection that are looked at at once; more wait, each so many milliseconds after the one before. */
const BURST = 32;
const INTERVAL_MS = 1000;

/** Holds back a connection that publishes and plays again and again: each time may ask other nodes, pull a stream, write to the log. */
export class RequestPace {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #allowance = new Allowance(BURST, INTERVAL_MS);

  /** @param signal Aborts when the connection ends. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Resolves when the next one may be looked at, or the connection has ended. */
  async next(): Promise<void> {
    const waitMs = this.#allowance.take(this.#clock.now());
    if (waitMs === 0 || this.#signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(resolve, waitMs);
    const onAbort = () => resolve();
    this.#signal.addEventListener("abort", onAbort);
    await promise;
    this.#signal.removeEventListener("abort", onAbort);
    this.#clock.clearTimer(timer);
  }
}
