/** Capacity of the segments that are used again, in bytes: that of streams nobody plays, which are most on a busy origin. */
export const REUSED_SEGMENT_BYTES: number = 64 * 1024;
/** How many are kept for the next who needs one: 4 MiB. */
const MAX_KEPT = 64;

/**
 * Where logs get the memory of their segments, and give it back. New memory has to be cleared, which costs some hundred times what
 * a segment costs that is used again.
 */
export class SegmentMemory {
  readonly #allocate: (byteLength: number) => ArrayBufferLike;
  readonly #kept: ArrayBufferLike[] = [];

  /** @param allocate Makes new memory; give a SharedArrayBuffer to let other threads read it. */
  constructor(
    allocate: (byteLength: number) => ArrayBufferLike = (byteLength) => new ArrayBuffer(byteLength),
  ) {
    this.#allocate = allocate;
  }

  /** Memory whose contents are of no account. */
  take(byteLength: number): ArrayBufferLike {
    const kept = byteLength === REUSED_SEGMENT_BYTES ? this.#kept.pop() : undefined;
    return kept ?? this.#allocate(byteLength);
  }

  /** Takes memory back that nobody can see any more: no reader, no write under way. */
  giveBack(memory: ArrayBufferLike): void {
    if (memory.byteLength === REUSED_SEGMENT_BYTES && this.#kept.length < MAX_KEPT) this.#kept.push(memory);
  }
}

/** What all streams of this process share. */
export const SHARED_SEGMENT_MEMORY: SegmentMemory = new SegmentMemory();
