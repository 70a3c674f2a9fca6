import type { RtmpError } from "../base/errors.ts";

/** The first pause, and that of the time after something good was lost, in milliseconds: encoders and servers come back soon. */
export const FIRST_PAUSE_MS = 200;
/** The longest pause, in milliseconds. */
export const MAX_PAUSE_MS = 5000;
/** The longest pause while nobody can be reached, in milliseconds: that is found out aside, for all streams at once. */
const MAX_UNREACHABLE_PAUSE_MS = 1000;
/** Each pause is so much longer than the one before. */
const GROWTH = 1.5;
/** For so long after what held was lost the pauses stay short, in milliseconds. */
const EAGER_MS = 20_000;
/** What held for so long was good, and is looked for at once when it is lost, in milliseconds. */
const HOLDING_MS = 1000;

/**
 * How long to wait before something is tried again that fails: short at first, then longer and longer. What begins and breaks again
 * and again (a server that takes a stream only to drop it, or sends what can't be read) counts as failing.
 */
export class RetryPause {
  #nextMs = FIRST_PAUSE_MS;
  #eagerUntilMs = -Infinity;
  /** What was begun last broke at once, and what came after has not held either. */
  isBreaking = false;

  /**
   * Notes that something ended that had begun.
   *
   * @param heldMs How long it lasted.
   * @param nowMs Monotonic milliseconds.
   * @returns Whether it held: then it may be tried again without a pause.
   */
  ended(heldMs: number, nowMs: number): boolean {
    this.isBreaking = heldMs < HOLDING_MS;
    if (!this.isBreaking) this.hope(nowMs);
    return !this.isBreaking;
  }

  /** There is reason to believe that it will soon go well: the pauses are short again for a while. */
  hope(nowMs: number): void {
    this.#nextMs = FIRST_PAUSE_MS;
    this.#eagerUntilMs = nowMs + EAGER_MS;
  }

  /**
   * The pause before the next try, in milliseconds.
   *
   * @param failure What came of the last one.
   */
  next(nowMs: number, failure?: RtmpError): number {
    if (nowMs < this.#eagerUntilMs && !this.isBreaking) return FIRST_PAUSE_MS;
    if (failure?.code === "unreachable") this.#nextMs = Math.min(this.#nextMs, MAX_UNREACHABLE_PAUSE_MS);
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(pauseMs * GROWTH, MAX_PAUSE_MS);
    return pauseMs;
  }
}
