/**
 * Lets very many readers wait for about the same time with one timer. They are spread over slots, so that they do not all wake at
 * once.
 */
export class TimerWheel {
  readonly #slots: (() => void)[][];
  #at = 0;
  #next = 0;

  /**
   * @param periodMs How long one turn takes, in milliseconds.
   * @param slotMs What is due within this time wakes together.
   */
  constructor(periodMs: number, slotMs: number) {
    this.#slots = Array.from({ length: Math.round(periodMs / slotMs) }, () => []);
    setInterval(() => this.#turn(), slotMs);
  }

  /** A place on the wheel, by turns. */
  place(): number {
    return this.#next++ % this.#slots.length;
  }

  /** Resolves when the wheel next comes by. */
  wait(place: number): Promise<void> {
    return new Promise((resolve) => this.#slots[place]?.push(resolve));
  }

  #turn(): void {
    const slot = this.#slots[this.#at];
    this.#slots[this.#at] = [];
    this.#at = (this.#at + 1) % this.#slots.length;
    for (const resolve of slot ?? []) resolve();
  }
}
