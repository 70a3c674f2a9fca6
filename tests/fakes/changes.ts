import { withDeadline } from "./deadline.ts";

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
    what: string | (() => string),
    timeoutMs?: number,
  ): Promise<T> {
    const wait = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined && found !== false) return found;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    return await withDeadline(wait(), what, timeoutMs);
  }
}
