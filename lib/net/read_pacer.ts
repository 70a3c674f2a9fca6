import type { Clock } from "../base/clock.ts";

/** Slots are this many times the cost of their reads apart. More would feed on itself: a longer pause makes dearer reads. */
const PAUSE_FACTOR = 3;
/** What the runtime spends on a read where we can't see it, in milliseconds (measured: bench/). */
const READ_OVERHEAD_MS = 0.015;
/** A publisher's bytes wait no longer than this in the kernel because of it, in milliseconds. */
const MAX_PAUSE_MS = 100;
const MIN_PAUSE_MS = 3;
/** Players who are written to at least this far apart, in milliseconds, need no read in between: see `pause`. */
const MIN_GATHER_MS = 50;
/** Reads for a round of writes begin this long before it, in milliseconds. */
const READ_LEAD_MS = 8;
/** What may wait in the kernel, in bytes: little enough for the receive window of any system. */
const MAX_WAITING_BYTES = 32 * 1024;
/** Longest pause of a publisher whom nobody plays, in milliseconds. */
const MAX_UNWATCHED_PAUSE_MS = 350;
/** Publishers whom nobody plays are read in slots so far apart, in milliseconds: together, but not all at once. */
const UNWATCHED_SLOT_MS = 50;
/** So many of a slot are read before all else has its turn: each holds a buffer while it is, and keeps the others waiting. */
const READS_A_TURN = 32;

/** When the players of a publisher are written to. */
export interface WriteRound {
  /** Milliseconds from one round to the next. */
  readonly gatherMs: number;
  /** Milliseconds until the next round; below 0: none is due. */
  readonly inMs: number;
}

/** When some publishers are read next, all of them together. */
export class ReadSlot {
  readonly #waiting = new Set<() => void>();

  /** Calls back once, when it is time. */
  add(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** One waits no longer. */
  delete(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  /** Resolves when it is time. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.add(resolve));
  }

  /** It is time: wakes some, and the others when these have been read; without a clock all at once. */
  open(clock?: Clock): void {
    let left = clock === undefined ? Infinity : READS_A_TURN;
    for (const wake of this.#waiting) {
      if (left-- === 0) {
        clock?.soon(() => this.open(clock));
        return;
      }
      this.#waiting.delete(wake);
      wake();
    }
  }
}

/**
 * Lets one read of a busy publisher bring more: between two reads a publisher waits for the next slot, and all publishers share the
 * slots. "auto" measures what the reads of a slot cost and spaces slots by three times that: nothing while few publish.
 */
export class ReadPacer {
  readonly #fixedMs: number | undefined;
  readonly #clock: Clock;
  #pauseMs = 0;
  /** Those to come, by name, each with what opens it now. */
  readonly #slots = new Map<number, { readonly slot: ReadSlot; readonly end: () => void }>();
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
   * When the publisher should be read again; undefined when that may be at once.
   *
   * @param round When its players are written to. For few players most of the cost is reading, since each read wakes the process; and
   * what is read long before the round only waits for it. So with "auto" a read just before the round takes all that has come.
   * @param bytesPerSecond What the publisher sends: what would fill the kernel's buffers does not wait.
   */
  pause(round?: WriteRound, bytesPerSecond: number = 0): ReadSlot | undefined {
    const untilRoundMs = this.#fixedMs === undefined && round !== undefined
      ? untilRead(round, bytesPerSecond)
      : 0;
    if (untilRoundMs > this.pauseMs) {
      // All publishers of a round share its slot.
      return this.#slot(Math.round(this.#clock.now() + untilRoundMs), untilRoundMs);
    }
    // The first who pauses opens the slot that the others join.
    return this.pauseMs < MIN_PAUSE_MS ? undefined : this.#slot(-1, this.pauseMs);
  }

  /**
   * As `pause`, for a publisher whom nobody plays: nobody waits for what it sends, so it is read as seldom as the kernel can keep it.
   *
   * @param bytesPerSecond What it sends; 0: not known yet.
   */
  pauseUnwatched(bytesPerSecond: number): ReadSlot | undefined {
    const longestMs = this.#fixedMs !== undefined || bytesPerSecond <= 0
      ? 0
      : Math.min(MAX_UNWATCHED_PAUSE_MS, MAX_WAITING_BYTES * 1000 / bytesPerSecond);
    if (longestMs <= Math.max(this.pauseMs, UNWATCHED_SLOT_MS)) return this.pause();
    const nowMs = this.#clock.now();
    const atMs = Math.floor((nowMs + longestMs) / UNWATCHED_SLOT_MS) * UNWATCHED_SLOT_MS;
    return this.#slot(atMs, atMs - nowMs);
  }

  /** Lets nobody wait any longer; for the end. */
  close(): void {
    for (const { end } of [...this.#slots.values()]) end();
  }

  #slot(name: number, pauseMs: number): ReadSlot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known.slot;
    const slot = new ReadSlot();
    const timer = this.#clock.setTimer(() => {
      this.#slots.delete(name);
      slot.open(this.#clock);
    }, pauseMs);
    const end = () => {
      this.#clock.clearTimer(timer);
      this.#slots.delete(name);
      slot.open();
    };
    this.#slots.set(name, { slot, end });
    return slot;
  }
}

/** Milliseconds until a read that is just in time for a round: the next one, or the one after it when that is too near. */
function untilRead({ gatherMs, inMs }: WriteRound, bytesPerSecond: number): number {
  if (gatherMs < MIN_GATHER_MS || inMs < 0 || bytesPerSecond * gatherMs > MAX_WAITING_BYTES * 1000) return 0;
  return inMs > 2 * READ_LEAD_MS ? inMs - READ_LEAD_MS : inMs + gatherMs - READ_LEAD_MS;
}
