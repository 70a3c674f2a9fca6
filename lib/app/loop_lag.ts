import type { Clock, Timer } from "../base/clock.ts";
import { Histogram, type HistogramReading } from "../base/histogram.ts";

/** How often it is measured, in milliseconds. */
const BEAT_MS = 500;
const BOUNDS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** How late timers are called: what everything that waits for its turn on this process waits. */
export class LoopLag {
  readonly #seconds = new Histogram(BOUNDS_SECONDS);
  readonly #clock: Clock;
  #timer: Timer | undefined;

  /** @param clock One that does not leave out pauses. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    const dueMs = this.#clock.now() + BEAT_MS;
    this.#timer = this.#clock.setTimer(() => {
      // Timers may be called a fraction of a millisecond early.
      this.#seconds.observe(Math.max(0, this.#clock.now() - dueMs) / 1000);
      this.start();
    }, BEAT_MS);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  read(): HistogramReading {
    return this.#seconds.read();
  }
}
