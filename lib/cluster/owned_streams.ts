/** A stream that a publisher of this node feeds. */
export interface OwnedStream {
  /** The vhost's configured name. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** `[vhost]/app/stream`, as `streamKey` makes it. */
  readonly key: string;
  /** Milliseconds since 1970, by this node's clock; what two owners of one stream are compared by. */
  readonly publishedAtMs: number;
  /** The publisher's connection, as in logs and the API. */
  readonly connectionId: string;
}

/** What became of some streams after a revision. */
export interface StreamChanges {
  readonly added: readonly OwnedStream[];
  /** Keys. */
  readonly removed: readonly string[];
}

/** Changes that are remembered: enough for an asker who missed a few turns of a node where everything was published anew. */
const DEFAULT_HISTORY_LENGTH = 16_384;

/**
 * The streams that this node owns: only those with a live publisher here, never copies that it pulls. Each change counts the
 * revision up by one, so that a coworker can ask for what changed since the revision that it has.
 */
export class OwnedStreams {
  readonly #streams = new Map<string, OwnedStream>();
  readonly #historyLength: number;
  /** The key that each revision after `#historyStart` changed. */
  #history: string[] = [];
  #historyStart = 0;

  constructor(historyLength: number = DEFAULT_HISTORY_LENGTH) {
    this.#historyLength = historyLength;
  }

  /** Grows with each change; 0 at first. */
  get revision(): number {
    return this.#historyStart + this.#history.length;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Adds a stream, or replaces the one with its key. */
  add(stream: OwnedStream): void {
    this.#streams.set(stream.key, stream);
    this.#note(stream.key);
  }

  /**
   * Removes a stream.
   *
   * @param connectionId Only when this connection publishes it; so a publisher that ends late does not remove its successor's.
   * @returns Whether it was there.
   */
  remove(key: string, connectionId?: string): boolean {
    const stream = this.#streams.get(key);
    if (stream === undefined) return false;
    if (connectionId !== undefined && stream.connectionId !== connectionId) return false;
    this.#streams.delete(key);
    this.#note(key);
    return true;
  }

  get(key: string): OwnedStream | undefined {
    return this.#streams.get(key);
  }

  list(): Iterable<OwnedStream> {
    return this.#streams.values();
  }

  /** What changed after a revision; undefined when that is not known (any more) and all must be told. */
  changesSince(revision: number): StreamChanges | undefined {
    if (!(revision >= this.#historyStart && revision <= this.revision)) return undefined;
    const added: OwnedStream[] = [];
    const removed: string[] = [];
    for (const key of new Set(this.#history.slice(revision - this.#historyStart))) {
      const stream = this.#streams.get(key);
      if (stream === undefined) removed.push(key);
      else added.push(stream);
    }
    return { added, removed };
  }

  /** Counts a revision that nobody can have the changes of: whoever asks next is told all. */
  forgetHistory(): void {
    this.#historyStart = this.revision + 1;
    this.#history = [];
  }

  #note(key: string): void {
    this.#history.push(key);
    // Cut in halves, not one by one, which would move the array at each change.
    if (this.#history.length >= 2 * this.#historyLength) {
      this.#historyStart += this.#history.length - this.#historyLength;
      this.#history = this.#history.slice(-this.#historyLength);
    }
  }
}

/** The ETag of a node's state, with its quotes. */
export function stateETag(bootId: string, revision: number): string {
  return `"${bootId}-${revision}"`;
}
