/** How often somebody may do something: so many times at once, then each a while after the one before. */
export class Allowance {
  readonly #burst: number;
  readonly #intervalMs: number;
  /** When all that was taken will have been earned again. */
  #earnedAtMs = -Infinity;

  /**
   * @param burst How many at once.
   * @param intervalMs Milliseconds until another one is earned.
   */
  constructor(burst: number, intervalMs: number) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
  }

  /** Takes one. Returns how long to wait with it, in milliseconds; 0 while there are some. */
  take(nowMs: number): number {
    this.#earnedAtMs = Math.max(this.#earnedAtMs, nowMs) + this.#intervalMs;
    return Math.max(0, this.#earnedAtMs - nowMs - this.#burst * this.#intervalMs);
  }
}
