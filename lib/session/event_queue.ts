/** Events in order. Taken by position: `shift` moves all the rest, and an aggregate can have thousands of parts. */
export class EventQueue<T> {
  readonly #events: T[] = [];
  #at = 0;

  push(event: T): void {
    this.#events.push(event);
  }

  /** The next one, or undefined. */
  take(): T | undefined {
    if (this.#at < this.#events.length) return this.#events[this.#at++];
    if (this.#at > 0) {
      this.#events.length = 0;
      this.#at = 0;
    }
    return undefined;
  }
}
