import { UNWATCHED_SEGMENT_BYTES, WATCHED_SEGMENT_BYTES } from "./segment_memory.ts";

/** Least capacity of the segments of a stream that is played, in bytes. */
const LEAST_BYTES = 64 * 1024;
/** A segment should last about so long, in milliseconds of media: each player's write ends where a segment does. */
const LASTING_MS = 1500;
/** From so many players on, fewer writes are worth more memory: each is a system call for every one of them. */
const MANY_PLAYERS = 16;
const MANY_PLAYERS_FACTOR = 8;

/**
 * How large the segments of a log should be. Memory that a process has not used before is what costs most of all here: the first write to
 * each of its pages stops for the system, which on a virtual machine takes longer than serialising and sending what fits in it.
 */
export class SegmentSize {
  #bytes = LEAST_BYTES;
  #last: { readonly offset: number; readonly timestamp: number } | undefined;

  /** Of the next segment, in bytes. */
  bytes(players: number): number {
    if (players === 0) return UNWATCHED_SEGMENT_BYTES;
    return players < MANY_PLAYERS
      ? this.#bytes
      : Math.min(this.#bytes * MANY_PLAYERS_FACTOR, WATCHED_SEGMENT_BYTES);
  }

  /**
   * A segment was begun.
   *
   * @param offset Of its first message, in the log.
   * @param timestamp Of that message, in milliseconds of media, 32 bits.
   */
  note(offset: number, timestamp: number): void {
    const last = this.#last;
    this.#last = { offset, timestamp };
    const lastedMs = last === undefined ? 0 : (timestamp - last.timestamp) | 0;
    // Headers and data have times of their own.
    if (last === undefined || lastedMs <= 0) return;
    const wanted = (offset - last.offset) * LASTING_MS / lastedMs;
    this.#bytes = LEAST_BYTES;
    while (this.#bytes < Math.min(wanted, WATCHED_SEGMENT_BYTES)) this.#bytes *= 2;
  }
}
