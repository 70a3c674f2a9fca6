import type { Clock, Timer } from "../base/clock.ts";

/** Writing may take this share of a core: a round is followed by this many times its cost of gathering. */
const GATHER_FACTOR = 60;
/** SRS's default: never gather longer, in milliseconds. */
const MAX_GATHER_MS = 350;
/** Under this a timer costs more than it saves, in milliseconds. */
const MIN_GATHER_MS = 20;
/**
 * So many players are written to before all else has its turn. The runtime lets about 128 operations of a turn be done at once
 * (tokio's budget); those beyond are put aside and done later, at nearly twice the cost.
 */
const PLAYERS_A_TURN = 64;
/** What a round costs is no more than so many times what beginning its writes does: beyond that, something else came between. */
const MAX_WHOLE_COST = 4;

/** Something with players to write to. */
export interface WriteTarget {
  /** Its players, each of whom begins the write that can be begun. */
  readonly cursors: Iterable<{ notify(): void }>;
}

/**
 * Decides when players are written to. All players of a thread (with one gather time) are written in rounds; between two rounds bytes
 * gather, so that one write carries several messages. "auto" measures what a round costs, from its first write until the last one is
 * done, and gathers for sixty times that: nothing while few play, up to 350 ms when hundreds do. So writing takes about a sixtieth of
 * a core, until it takes more at 350 ms.
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
  /** A round is to come, or under way. */
  #isQueued = false;
  #isClosed = false;

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
    if (!this.#isQueued) this.#queue();
  }

  /** Forgets what is waiting; for the end. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#dirty.clear();
  }

  #queue(): void {
    this.#isQueued = true;
    const waitMs = this.untilRoundMs;
    // At once means after the messages that came in the same read.
    if (waitMs < 1) queueMicrotask(this.#round);
    else this.#timer = this.#clock.setTimer(this.#round, waitMs);
  }

  readonly #round = (): void => {
    this.#timer = undefined;
    this.#lastRoundMs = this.#clock.now();
    const targets = [...this.#dirty];
    this.#dirty.clear();
    this.#write(playersOf(targets), 0);
  };

  /** @param costMs What the round has cost so far. */
  #write(players: Iterator<{ notify(): void }>, costMs: number): void {
    const begunMs = this.#clock.now();
    let isDone = false;
    for (let i = 0; i < PLAYERS_A_TURN && !isDone; i++) {
      const next = players.next();
      if (next.done === true) isDone = true;
      else next.value.notify();
    }
    if (isDone) this.#endRound();
    if (isDone && !this.#isAuto) return;
    const writingMs = this.#clock.now() - begunMs;
    this.#clock.soon(() => {
      if (this.#isClosed) return;
      const wholeMs = Math.min(this.#clock.now() - begunMs, MAX_WHOLE_COST * writingMs);
      if (isDone) this.#noteCost(costMs + wholeMs);
      else this.#write(players, costMs + wholeMs);
    });
  }

  #endRound(): void {
    this.#isQueued = false;
    if (this.#dirty.size > 0) this.#queue();
  }

  #noteCost(costMs: number): void {
    this.#costs[this.#rounds++ % 3] = costMs;
    // The least: rounds in which the machine did something else must not delay a lone player. A crowd's differ little.
    this.#costMs = (this.#costMs + Math.min(...this.#costs)) / 2;
    const gatherMs = this.#costMs * GATHER_FACTOR;
    this.#gatherMs = gatherMs < MIN_GATHER_MS ? 0 : Math.min(gatherMs, MAX_GATHER_MS);
  }
}

function* playersOf(targets: readonly WriteTarget[]): Generator<{ notify(): void }> {
  for (const { cursors } of targets) yield* cursors;
}
