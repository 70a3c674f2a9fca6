/**
 * Keeps the order of what is told to others: events that share a key are told one after another, the next when the one before has been
 * answered, or has had its time.
 */
export class EventOrder {
  readonly #last = new Map<string, Promise<void>>();
  readonly #pending = new Set<Promise<void>>();

  /** Whether nothing of these keys is left to be told. */
  isSettled(keys: readonly string[]): boolean {
    return !keys.some((key) => this.#last.has(key));
  }

  /** Resolves when everything that was added for these keys so far is over. */
  async settled(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#last.get(key);
  }

  /** Lets `tell`, which does not throw, run when everything that was added for these keys before is over. */
  add(keys: readonly string[], tell: () => Promise<void>): void {
    const before = keys.map((key) => this.#last.get(key));
    const event: Promise<void> = Promise.all(before).then(tell).finally(() => {
      this.#pending.delete(event);
      for (const key of keys) if (this.#last.get(key) === event) this.#last.delete(key);
    });
    this.#pending.add(event);
    for (const key of keys) this.#last.set(key, event);
  }

  /** Resolves when nothing is left to be told. */
  async empty(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }
}
