/** Too many different questions are being answered. */
export class TooBusy extends Error {
  override readonly name = "TooBusy";
}

/** How long an answer is good for, in milliseconds. */
const FRESH_MS = 900;
/** Different questions that are answered, or have been lately. */
const MAX_QUESTIONS = 32;

interface Entry<T> {
  readonly answer: Promise<T>;
  readonly askedAtMs: number;
  isDone: boolean;
}

/** Answers that cost the whole cluster something: whoever asks the same within a second gets the same. */
export class SharedAnswers<T> {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<T>>();

  /** @param now Milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The answer to a question: the one that is under way or not a second old, else a new one.
   *
   * @throws {TooBusy} While too many other questions are being answered.
   */
  async get(question: string, find: () => Promise<T>): Promise<T> {
    const nowMs = this.#now();
    const known = this.#entries.get(question);
    // A clock that was set back makes nothing fresh for ever.
    const ageMs = known === undefined ? Infinity : Math.abs(nowMs - known.askedAtMs);
    if (known !== undefined && (!known.isDone || ageMs < FRESH_MS)) return await known.answer;
    this.#forget(nowMs);
    if (this.#entries.size >= MAX_QUESTIONS) throw new TooBusy();
    const entry: Entry<T> = { answer: find(), askedAtMs: nowMs, isDone: false };
    this.#entries.set(question, entry);
    try {
      return await entry.answer;
    } catch (error) {
      if (this.#entries.get(question) === entry) this.#entries.delete(question);
      throw error;
    } finally {
      entry.isDone = true;
    }
  }

  #forget(nowMs: number): void {
    for (const [question, { isDone, askedAtMs }] of this.#entries) {
      if (isDone && Math.abs(nowMs - askedAtMs) >= FRESH_MS) this.#entries.delete(question);
    }
    // Those that are done are only a courtesy.
    for (const [question, { isDone }] of this.#entries) {
      if (this.#entries.size < MAX_QUESTIONS) return;
      if (isDone) this.#entries.delete(question);
    }
  }
}
