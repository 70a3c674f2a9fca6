import type { Clock } from "../base/clock.ts";

/** Reading publishers may take this share of a core: rounds of reads are this many times their cost apart. */
const PAUSE_FACTOR = 8;
/** A publisher's bytes wait no longer than this in the kernel because of it, in milliseconds. */
const MAX_PAUSE_MS = 100;
const MIN_PAUSE_MS = 3;

/**
 * Lets one read of a busy publisher bring more: between two reads a publisher waits for the next slot, and all publishers share the
 * slots. "auto" measures what the reads of a slot cost and spaces slots by eight times that: nothing while few publish.
 */
export class ReadPacer {
  readonly #fixedMs: number | undefined;
  readonly #clock: Clock;
  #pauseMs = 0;
  #slot: Promise<void> | undefined;
  #costMs = 0;
  #slotBeganMs = 0;

  /** @param pauseMs `publish.mr_latency`: milliseconds, or "auto". */
  constructor(pauseMs: number | "auto", clock: Clock) {
    this.#fixedMs = pauseMs === "auto" ? undefined : pauseMs;
    this.#clock = clock;
    this.#slotBeganMs = clock.now();
  }

  /** Milliseconds between two reads of one publisher now. */
  get pauseMs(): number {
    return this.#fixedMs ?? this.#pauseMs;
  }

  /** Tells what handling one read of a publisher cost, in milliseconds. */
  note(costMs: number): void {
    this.#costMs += costMs;
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - this.#slotBeganMs;
    if (elapsedMs < MAX_PAUSE_MS) return;
    const share = this.#costMs / elapsedMs;
    this.#costMs = 0;
    this.#slotBeganMs = nowMs;
    // With reads at 1/8 of a core the pause stays; above it grows, below it shrinks, softly.
    const wanted = Math.max(this.#pauseMs, 1) * share * PAUSE_FACTOR;
    const next = Math.min((this.#pauseMs + wanted) / 2, MAX_PAUSE_MS);
    this.#pauseMs = next < 0.5 ? 0 : next;
  }

  /** Resolves at the next slot; undefined when a read may follow at once. */
  pause(): Promise<void> | undefined {
    const pauseMs = this.pauseMs;
    if (pauseMs < MIN_PAUSE_MS) return undefined;
    this.#slot ??= new Promise((resolve) => {
      this.#clock.setTimer(() => {
        this.#slot = undefined;
        resolve();
      }, pauseMs);
    });
    return this.#slot;
  }
}
