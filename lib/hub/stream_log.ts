import {
  type SegmentMemory,
  SHARED_SEGMENT_MEMORY,
  UNWATCHED_SEGMENT_BYTES,
  WATCHED_SEGMENT_BYTES,
} from "./segment_memory.ts";

/** The first segment is small, so that an idle or tiny stream costs little. */
const MIN_SEGMENT_BYTES = UNWATCHED_SEGMENT_BYTES;
const MAX_SEGMENT_BYTES = WATCHED_SEGMENT_BYTES;

class Segment {
  /** Log offset of its first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Bytes committed; they never change. */
  length = 0;
  readonly #memory: SegmentMemory;
  #holders = 0;
  #isDropped = false;

  constructor(start: number, byteLength: number, memory: SegmentMemory) {
    this.start = start;
    this.bytes = new Uint8Array(memory.take(byteLength));
    this.#memory = memory;
  }

  /** Somebody has its bytes. */
  hold(): void {
    this.#holders++;
  }

  /** One of them has them no longer. */
  release(): void {
    this.#holders--;
    this.#giveBack();
  }

  /** It is no part of the log any more. */
  drop(): void {
    this.#isDropped = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#isDropped && this.#holders === 0) this.#memory.giveBack(this.bytes.buffer);
  }
}

/** One reader's hold on the memory of the bytes that it was given last: it is not used again before the reader has moved on. */
export class LogHold {
  #segment: Segment | undefined;

  /** What was given before has been let go of. */
  move(segment: Segment | undefined): void {
    const held = this.#segment;
    if (held === segment) return;
    segment?.hold();
    this.#segment = segment;
    held?.release();
  }
}

/**
 * An append-only log of finished bytes in segments of fixed capacity. Readers are plain offsets. Segments are dropped whole, oldest
 * first, and their memory is used again when nobody has bytes of it: no reader, no write under way. That of a reader who is gone,
 * or never says that it has moved on, is left to the garbage collector.
 *
 * Every appended message lies in one segment.
 */
export class StreamLog {
  readonly #segments: Segment[] = [];
  readonly #memory: SegmentMemory;
  /** What was read last, and where: in a round of writes nearly all players read the same. */
  #last: Uint8Array | undefined;
  #lastOffset = 0;
  #lastSegment: Segment | undefined;
  #nextSegmentBytes = MIN_SEGMENT_BYTES;
  #end = 0;

  constructor(memory: SegmentMemory = SHARED_SEGMENT_MEMORY) {
    this.#memory = memory;
  }

  /** Offset of the oldest byte held. */
  get start(): number {
    return this.#segments[0]?.start ?? this.#end;
  }

  /** Offset behind the newest byte. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /**
   * Appends one message of exactly `length` bytes, written in place by `write(target, offset)`.
   *
   * @param maxSegmentBytes How large a new segment may be. Large ones make fewer writes, small ones hold less.
   * @returns Whether a new segment was begun: the time to trim.
   */
  append(
    length: number,
    write: (target: Uint8Array, offset: number) => void,
    maxSegmentBytes: number = MAX_SEGMENT_BYTES,
  ): boolean {
    let segment = this.#segments.at(-1);
    let isNew = false;
    if (segment === undefined || segment.length + length > segment.bytes.length) {
      const capacity = Math.max(Math.min(this.#nextSegmentBytes, maxSegmentBytes), length);
      this.#nextSegmentBytes = Math.min(this.#nextSegmentBytes * 2, MAX_SEGMENT_BYTES);
      segment = new Segment(this.#end, capacity, this.#memory);
      this.#segments.push(segment);
      isNew = true;
    }
    write(segment.bytes, segment.length);
    segment.length += length;
    this.#end += length;
    return isNew;
  }

  /**
   * The committed bytes from `offset` to the end of its segment, as a view; undefined at the end of the log.
   *
   * @param hold Of a reader who has let go of what it was given before; without it the bytes stay as they are for ever.
   * @throws {RangeError} When they are no longer held.
   */
  read(offset: number, hold?: LogHold): Uint8Array | undefined {
    if (offset >= this.#end) {
      hold?.move(undefined);
      return undefined;
    }
    if (offset < this.start) throw new RangeError(`Cannot read log at ${offset}: it begins at ${this.start}`);
    const last = this.#last;
    let segment = this.#lastSegment;
    const isLast = last !== undefined && segment !== undefined && offset === this.#lastOffset &&
      offset - segment.start + last.length === segment.length;
    if (!isLast || segment === undefined) segment = this.#segments[this.#indexOf(offset)] as Segment;
    if (hold === undefined) segment.hold();
    else hold.move(segment);
    if (isLast) return last;
    this.#lastOffset = offset;
    this.#lastSegment = segment;
    return this.#last = segment.bytes.subarray(offset - segment.start, segment.length);
  }

  /** Which segment holds an offset. Nearly everyone reads the newest. */
  #indexOf(offset: number): number {
    const segments = this.#segments;
    let high = segments.length - 1;
    if (offset >= (segments[high] as Segment).start) return high;
    let low = 0;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (offset >= (segments[middle] as Segment).start) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Drops the segments that end at or before `offset`, except the newest. */
  trim(offset: number): void {
    let drop = 0;
    while (drop < this.#segments.length - 1 && (this.#segments[drop + 1] as Segment).start <= offset) drop++;
    if (drop === 0) return;
    for (const segment of this.#segments.splice(0, drop)) segment.drop();
  }
}
