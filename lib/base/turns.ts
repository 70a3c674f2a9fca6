/** Lets so many at a time go on, the others in the order in which they came. */
export class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Waits for a turn.
   *
   * @returns Ends it; to be called once.
   * @throws {unknown} The signal's reason.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.#max) this.#taken++;
    else await this.#wait(signal);
    return () => {
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#taken--;
        return;
      }
      // The turn is handed on.
      this.#waiting.delete(next);
      next();
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      // One whose turn has come takes it, and ends it when it sees the signal.
      if (this.#waiting.delete(resolve)) reject(signal.reason);
    };
    this.#waiting.add(resolve);
    signal.addEventListener("abort", onAbort);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
