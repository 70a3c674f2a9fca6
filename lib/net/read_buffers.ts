/** What the buffers of a size that are kept may take together, in bytes. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Buffers that connections read into, shared by all: one that waits for its next turn to be read has none. Most publishers wait most
 * of the time.
 */
export class ReadBuffers {
  readonly #kept = new Map<number, Uint8Array<ArrayBuffer>[]>();

  /** A buffer of just this size, whose contents are of no account. */
  take(byteLength: number): Uint8Array<ArrayBuffer> {
    return this.#kept.get(byteLength)?.pop() ?? new Uint8Array(byteLength);
  }

  /** Takes one back that nobody looks at or reads into any more. */
  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    const kept = this.#kept.get(buffer.length);
    if (kept === undefined) this.#kept.set(buffer.length, [buffer]);
    else if ((kept.length + 1) * buffer.length <= MAX_KEPT_BYTES) kept.push(buffer);
  }
}

/** What all connections of this process share. */
export const SHARED_READ_BUFFERS: ReadBuffers = new ReadBuffers();
