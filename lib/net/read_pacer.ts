import type { Clock } from "../base/clock.ts";

/** Slots are this many times the cost of their reads apart. More would feed on itself: a longer pause makes dearer reads. */
const PAUSE_FACTOR = 3;
/** What the runtime spends on a read where we can't see it, in milliseconds (measured: bench/). */
const READ_OVERHEAD_MS = 0.015;
/** A publisher's bytes wait no longer than this in the kernel because of it, in milliseconds. */
const MAX_PAUSE_MS = 100;
const MIN_PAUSE_MS = 3;
/** Messages that players get this much later, in milliseconds, need not be read at once: see `pause`. */
const MIN_GATHER_MS = 200;
/** This share of the time that bytes are gathered for players may pass before they are read. */
const GATHER_SHARE = 1 / 8;

/**
 * Lets one read of a busy publisher bring more: between two reads a publisher waits for the next slot, and all publishers share the
 * slots. "auto" measures what the reads of a slot cost and spaces slots by three times that: nothing while few publish.
 */
export class ReadPacer {
  readonly #fixedMs: number | undefined;
  readonly #clock: Clock;
  #pauseMs = 0;
  readonly #slots = new Map<number, Promise<void>>();
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
    this.#costMs += costMs + READ_OVERHEAD_MS;
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - this.#slotBeganMs;
    if (elapsedMs < MAX_PAUSE_MS) return;
    const share = this.#costMs / elapsedMs;
    this.#costMs = 0;
    this.#slotBeganMs = nowMs;
    // With reads at 1/3 of a core the pause stays; above it grows, below it shrinks, softly.
    const wanted = Math.max(this.#pauseMs, 1) * share * PAUSE_FACTOR;
    const next = Math.min((this.#pauseMs + wanted) / 2, MAX_PAUSE_MS);
    this.#pauseMs = next < 0.5 ? 0 : next;
  }

  /**
   * Resolves at the next slot; undefined when a read may follow at once.
   *
   * @param gatherMs How long this publisher's players wait for a write anyway, in milliseconds. Reading is not the dearer for many
   * players, but for few it is most of the cost: each read wakes the process. So with "auto" an eighth of a long wait is spent here.
   */
  pause(gatherMs: number = 0): Promise<void> | undefined {
    const isGathering = this.#fixedMs === undefined && gatherMs >= MIN_GATHER_MS;
    const pauseMs = Math.round(Math.max(this.pauseMs, isGathering ? gatherMs * GATHER_SHARE : 0));
    if (pauseMs < MIN_PAUSE_MS) return undefined;
    let slot = this.#slots.get(pauseMs);
    if (slot === undefined) {
      slot = new Promise((resolve) => {
        this.#clock.setTimer(() => {
          this.#slots.delete(pauseMs);
          resolve();
        }, pauseMs);
      });
      this.#slots.set(pauseMs, slot);
    }
    return slot;
  }
}
