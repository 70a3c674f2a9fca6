import { MAX_NODE_STATE_BYTES } from "./node_state.ts";

/** What a coworker said that it owns, answer by answer, within bounds. */
export class KnownStreams {
  readonly #streams = new Map<string, number>();
  #length = 0;

  /** Stream keys with their publish times. */
  get all(): ReadonlyMap<string, number> {
    return this.#streams;
  }

  /** @throws {Error} When all together are longer than one answer may be. */
  change(added: ReadonlyMap<string, number>, removed: readonly string[]): void {
    for (const key of removed) {
      if (this.#streams.delete(key)) this.#length -= key.length;
    }
    for (const [key, publishedAtMs] of added) {
      if (!this.#streams.has(key)) this.#length += key.length;
      this.#streams.set(key, publishedAtMs);
    }
    if (this.#length > MAX_NODE_STATE_BYTES) {
      throw new Error(`it lists more streams than fit in ${MAX_NODE_STATE_BYTES} bytes`);
    }
  }
}
