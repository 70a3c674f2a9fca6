/** The first pause before another try, in milliseconds. */
const FIRST_MS = 1000;
const MAX_MS = 30_000;
/** What held for so long was good: the pauses begin anew. */
const HOLDING_MS = 30_000;
/** A server that refuses is not asked again for so long, in milliseconds. */
const REFUSED_MS = 60_000;
/** Part of a pause that is random, so that the streams of a server do not come back all at once. */
const JITTER = 0.25;

/** How long to wait before a stream is forwarded again: 1, 2, 4 … 30 s. */
export class ForwardPause {
  readonly #random: () => number;
  #nextMs = FIRST_MS;

  /** @param random From 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * The pause before the next try, in milliseconds.
   *
   * @param heldMs How long the last one lasted.
   * @param isRefusal The other server has said no, which another try will not change soon.
   */
  next(heldMs: number, isRefusal: boolean): number {
    if (heldMs >= HOLDING_MS) this.#nextMs = FIRST_MS;
    if (isRefusal) return this.#spread(REFUSED_MS);
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(pauseMs * 2, MAX_MS);
    return this.#spread(pauseMs);
  }

  #spread(ms: number): number {
    return ms * (1 - JITTER / 2 + JITTER * this.#random());
  }
}
