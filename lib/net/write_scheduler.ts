import type { Clock, Timer } from "../base/clock.ts";

/** Writing may take this share of a core: a round is followed by this many times its cost of gathering. */
const GATHER_FACTOR = 20;
/** What a round costs in all is this many times what beginning its writes costs; the rest is their completions (measured: bench/). */
const WHOLE_COST = 2.5;
/** SRS's default: never gather longer, in milliseconds. */
const MAX_GATHER_MS = 350;
/** Under this a timer costs more than it saves, in milliseconds. */
const MIN_GATHER_MS = 5;

/** Something with players to write to. */
export interface WriteTarget {
  /** Begins the writes that can be begun; each player's writer may be flushed more than once. */
  flushPlayers(): void;
}

/**
 * Decides when players are written to. All players of a thread (with one gather time) are written in rounds; between two rounds bytes
 * gather, so that one write carries several messages. "auto" measures what a round costs and gathers for twenty times that: nothing
 * while few play, up to 350 ms when thousands do, so writing takes about a twentieth of a core whatever the crowd.
 */
export class WriteScheduler {
  readonly #clock: Clock;
  readonly #isAuto: boolean;
  readonly #dirty = new Set<WriteTarget>();
  #gatherMs: number;
  #lastRoundMs = -Infinity;
  #costMs = 0;
  /** What the last three rounds cost, by turns. */
  readonly #costs: [number, number, number] = [0, 0, 0];
  #rounds = 0;
  #timer: Timer | undefined;
  #isQueued = false;

  /** @param gatherMs Milliseconds that bytes may be gathered before a write; "auto": measured, see the class. */
  constructor(gatherMs: number | "auto", clock: Clock) {
    this.#clock = clock;
    this.#isAuto = gatherMs === "auto";
    this.#gatherMs = gatherMs === "auto" ? 0 : gatherMs;
  }

  /** How long bytes gather now, in milliseconds. */
  get gatherMs(): number {
    return this.#gatherMs;
  }

  /** Milliseconds until the next round could be; below 0: it is overdue, since nothing was to be written. */
  get untilRoundMs(): number {
    return this.#lastRoundMs + this.#gatherMs - this.#clock.now();
  }

  /** A target has bytes to write: they go out in the next round. */
  markDirty(target: WriteTarget): void {
    this.#dirty.add(target);
    if (this.#isQueued) return;
    this.#isQueued = true;
    const waitMs = this.untilRoundMs;
    // At once means after the messages that came in the same read.
    if (waitMs < 1) queueMicrotask(this.#round);
    else this.#timer = this.#clock.setTimer(this.#round, waitMs);
  }

  /** Forgets what is waiting; for the end. */
  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#dirty.clear();
  }

  readonly #round = (): void => {
    const begunMs = this.#clock.now();
    this.#timer = undefined;
    this.#isQueued = false;
    this.#lastRoundMs = begunMs;
    const targets = [...this.#dirty];
    this.#dirty.clear();
    for (const target of targets) target.flushPlayers();
    if (!this.#isAuto) return;
    this.#costs[this.#rounds++ % 3] = WHOLE_COST * (this.#clock.now() - begunMs);
    // The median: the one round in which the machine did something else must not delay a lone player for seconds.
    this.#costMs = (this.#costMs + median(...this.#costs)) / 2;
    const gatherMs = this.#costMs * GATHER_FACTOR;
    this.#gatherMs = gatherMs < MIN_GATHER_MS ? 0 : Math.min(gatherMs, MAX_GATHER_MS);
  };
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
