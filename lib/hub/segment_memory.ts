/** Capacity of the segments of streams that nobody plays, which are most on a busy origin, in bytes. */
export const UNWATCHED_SEGMENT_BYTES: number = 32 * 1024;
/** Capacity of the largest segments, those of streams that have many players or bring much, in bytes. */
export const WATCHED_SEGMENT_BYTES: number = 512 * 1024;
/** How much is kept for those who need a segment next, in bytes; one segment is kept in any case. */
const MAX_KEPT_BYTES = 12 * 1024 * 1024;

/**
 * Where logs get the memory of their segments, and give it back. New memory has to be cleared, which costs some hundred times what
 * a segment costs that is used again; and what is let go of stays until the collector comes by, which at the rate of a fast
 * publisher is a hundred megabytes later.
 */
export class SegmentMemory {
  readonly #allocate: (byteLength: number) => ArrayBufferLike;
  /** The oldest first. */
  readonly #kept: ArrayBufferLike[] = [];
  #keptBytes = 0;

  /** @param allocate Makes new memory; give a SharedArrayBuffer to let other threads read it. */
  constructor(
    allocate: (byteLength: number) => ArrayBufferLike = (byteLength) => new ArrayBuffer(byteLength),
  ) {
    this.#allocate = allocate;
  }

  /** Bytes that are kept for those who need a segment next. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Memory whose contents are of no account, of so many bytes or some more. */
  take(byteLength: number): ArrayBufferLike {
    // Those for a longer message are multiples of one or the other: so they fit one another.
    const step = byteLength <= WATCHED_SEGMENT_BYTES ? UNWATCHED_SEGMENT_BYTES : WATCHED_SEGMENT_BYTES;
    const wanted = Math.ceil(byteLength / step) * step;
    const index = this.#kept.findLastIndex((memory) => memory.byteLength === wanted);
    return index < 0 ? this.#allocate(wanted) : this.#remove(index);
  }

  /** Takes memory back that nobody can see any more: no reader, no write under way. */
  giveBack(memory: ArrayBufferLike): void {
    this.#kept.push(memory);
    this.#keptBytes += memory.byteLength;
    while (this.#keptBytes > MAX_KEPT_BYTES && this.#kept.length > 1) this.#remove(0);
  }

  #remove(index: number): ArrayBufferLike {
    const [memory] = this.#kept.splice(index, 1) as [ArrayBufferLike];
    this.#keptBytes -= memory.byteLength;
    return memory;
  }
}

/** What all streams of this process share. */
export const SHARED_SEGMENT_MEMORY: SegmentMemory = new SegmentMemory();
