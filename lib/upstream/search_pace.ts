/** So many searches a second a node begins at most, however many of its streams are lost at once. */
const SEARCHES_PER_SECOND = 400;
/** Searches that were begun together are spread by this share of their pause. */
const SPREAD = 0.2;

/** How long the searches of lost streams pause, all pulls of a node together: one lost stream is looked for often, a thousand are not a storm. */
export class SearchPace {
  readonly #random: () => number;
  #searching = 0;

  /** @param random From 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** A stream is lost, until the function that this returns is called. */
  begin(): () => void {
    this.#searching++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#searching--;
    };
  }

  /** Milliseconds until the next search of one stream, which alone would pause for `baseMs`. */
  pauseMs(baseMs: number): number {
    const fairMs = this.#searching * 1000 / SEARCHES_PER_SECOND;
    return Math.max(baseMs, fairMs) * (1 + SPREAD * (this.#random() - 0.5));
  }
}
