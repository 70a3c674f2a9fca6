/** Intervals that one window is divided into: how many samples a meter keeps, and so how exactly it forgets. */
const INTERVALS = 15;

/**
 * How fast a total has grown over the last stretch of time.
 *
 * Whoever counts only adds to a number of its own. The meter is shown that number now and then (every second or two, and before
 * each reading), beginning with the moment at which the counting began; samples that come faster than a fifteenth of the window are merged.
 */
export class RateMeter {
  readonly #windowMs: number;
  /** Pairs of time and total, oldest first. */
  readonly #samples: { atMs: number; total: number }[] = [];

  /** @param windowMs How far back a rate reaches. While a meter is younger than that, the rate is that of its whole life. */
  constructor(windowMs: number = 30_000) {
    if (!(windowMs > 0)) throw new RangeError(`Cannot measure a rate: window is ${windowMs} ms`);
    this.#windowMs = windowMs;
  }

  /**
   * Notes what the total is now. A total that shrank, or a clock that went backwards, starts the meter afresh.
   *
   * @param nowMs Milliseconds on any clock, the same one each time.
   */
  sample(total: number, nowMs: number): void {
    const samples = this.#samples;
    const last = samples.at(-1);
    if (last !== undefined && (total < last.total || nowMs < last.atMs)) samples.length = 0;
    const before = samples.at(-2);
    if (last !== undefined && before !== undefined && nowMs - before.atMs < this.#windowMs / INTERVALS) {
      last.atMs = nowMs;
      last.total = total;
    } else {
      samples.push({ atMs: nowMs, total });
    }
    // The oldest one is where the window begins, or the last before that.
    while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= this.#windowMs) samples.shift();
  }

  /** Growth per second between the beginning of the window and the last sample; 0 with fewer than two samples. */
  perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return (last.total - first.total) * 1000 / (last.atMs - first.atMs);
  }
}
