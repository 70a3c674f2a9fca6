/**
 * Waits for `promise`, but no longer than a time that only something broken takes.
 *
 * @param what What is waited for, for the message; asked when the time is over.
 * @throws {Error} When the time is over.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  milliseconds: number,
  what: string | (() => string),
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Error(`Cannot wait longer than ${milliseconds} ms: ${typeof what === "string" ? what : what()}`),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets tests wait for something that others say has changed. */
export class Changes {
  #waiting: (() => void)[] = [];

  /** Something has changed. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves to what `look` gives as soon as that is neither false nor undefined. */
  async until<T>(
    look: () => T | undefined | false,
    milliseconds: number,
    what: string | (() => string),
  ): Promise<T> {
    const wait = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined && found !== false) return found;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    return await withDeadline(wait(), milliseconds, what);
  }
}
