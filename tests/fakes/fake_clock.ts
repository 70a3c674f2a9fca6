import { inBackground } from "../../lib/base/background.ts";
import type { Clock, Timer } from "../../lib/base/clock.ts";

interface Pending {
  readonly atMs: number;
  readonly callback: () => void;
}

const BEGUN_AT_MS = Date.UTC(2026, 10, 1);

/** Time that moves only when it is told to. */
export class FakeClock implements Clock {
  #nowMs = 0;
  #nextId = 1;
  readonly #timers = new Map<number, Pending>();

  now(): number {
    return this.#nowMs;
  }

  /** As if the process had begun in November 2026. */
  wallNow(): number {
    return BEGUN_AT_MS + this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const id = this.#nextId++;
    this.#timers.set(id, { atMs: this.#nowMs + delayMs, callback });
    return id as unknown as Timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer as unknown as number);
  }

  soon(callback: () => void): void {
    inBackground(turn().then(callback), "what is ready now");
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, in milliseconds from now; undefined when none is set. */
  get nextDelayMs(): number | undefined {
    if (this.#timers.size === 0) return undefined;
    return Math.min(...[...this.#timers.values()].map(({ atMs }) => atMs)) - this.#nowMs;
  }

  /** Moves time on without running what falls due: what happens while code runs. */
  spend(ms: number): void {
    this.#nowMs += ms;
  }

  /** Moves time on, and runs what falls due in order, with the microtasks that follow from it. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= endMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      const [id, { atMs, callback }] = due;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      callback();
      await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }
}

/** As long as what is ready now takes, and less than `settle` does. */
async function turn(): Promise<void> {
  for (let i = 0; i < 4; i++) await Promise.resolve();
}

/** Lets microtasks, and those that they queue, run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
