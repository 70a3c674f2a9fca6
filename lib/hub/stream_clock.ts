/** A track that steps further back than this is a new time line, in milliseconds. */
const MAX_BACKWARD_MS = 1000;
/** A track that steps further ahead of real time than this is one too. */
const MAX_FORWARD_MS = 10_000;
/** What is put between the last message of one time line and the first of the next; SRS's guess for one frame. */
const STEP_MS = 10;
/** Two tracks whose corrected times are this close are on the same time line. */
const SAME_LINE_MS = 2000;

interface Track {
  lastInput: number;
  lastOutput: number;
  lastNowMs: number;
  offset: number;
}

/**
 * Turns the timestamps of whoever feeds a stream into one time that never goes back for a track, for as long as the stream lives.
 * A new feed, and a jump within a feed, go on from the last time. Low frame rates and pauses keep their gaps: what counts as a jump
 * is measured against the time that really passed.
 */
export class StreamClock {
  readonly #tracks = new Map<number, Track>();
  /** The last time given for each track of earlier feeds. */
  readonly #floors = new Map<number, number>();
  #isNewFeed = false;
  #last: number | undefined;

  /** A new feed: its first message continues the time, whatever its timestamp. */
  restart(): void {
    this.#isNewFeed = this.#last !== undefined;
    // All tracks of the new feed share one offset, found at its first message. A track whose first message is older than that
    // must still not go back behind its last one.
    for (const [typeId, { lastOutput }] of this.#tracks) this.#floors.set(typeId, lastOutput);
    this.#tracks.clear();
  }

  /** The latest time given, or undefined before the first. */
  get last(): number | undefined {
    return this.#last;
  }

  /**
   * The stream's time for a message.
   *
   * @param typeId 8 or 9: its track.
   * @param timestamp The feed's, in milliseconds, 31 or 32 bits.
   * @param nowMs Monotonic milliseconds, when it came.
   * @returns Milliseconds that grow without wrapping; mask them where they are written.
   */
  correct(typeId: number, timestamp: number, nowMs: number): number {
    let track = this.#tracks.get(typeId);
    if (track === undefined) {
      track = {
        lastInput: timestamp,
        lastOutput: this.#floors.get(typeId) ?? -1,
        lastNowMs: nowMs,
        offset: this.#firstOffset(timestamp),
      };
      this.#tracks.set(typeId, track);
    } else {
      const delta = signedDelta(timestamp, track.lastInput);
      const elapsedMs = nowMs - track.lastNowMs;
      if (delta < -MAX_BACKWARD_MS || delta > elapsedMs + MAX_FORWARD_MS) {
        track.offset = this.#jumpOffset(track, timestamp);
      } else if (delta !== timestamp - track.lastInput) {
        track.offset += track.lastInput + delta - timestamp; // wrapped at 2^31 or 2^32
      }
      track.lastInput = timestamp;
      track.lastNowMs = nowMs;
    }
    const output = Math.max(timestamp + track.offset, track.lastOutput, 0);
    track.lastOutput = output;
    if (this.#last === undefined || output > this.#last) this.#last = output;
    return output;
  }

  #firstOffset(timestamp: number): number {
    const other = this.#tracks.values().next().value;
    if (other !== undefined && Math.abs(timestamp + other.offset - other.lastOutput) < MAX_FORWARD_MS) {
      return other.offset;
    }
    if (!this.#isNewFeed && other === undefined) return 0;
    this.#isNewFeed = false;
    return (this.#last ?? 0) + STEP_MS - timestamp;
  }

  /** After a jump: the other track's time line if it has jumped already, else a new one from the last time. */
  #jumpOffset(track: Track, timestamp: number): number {
    for (const other of this.#tracks.values()) {
      if (other !== track && Math.abs(timestamp + other.offset - (this.#last ?? 0)) < SAME_LINE_MS) {
        return other.offset;
      }
    }
    return (this.#last ?? 0) + STEP_MS - timestamp;
  }
}

/** `to - from`, taking a wrap at 31 or 32 bits into account. */
function signedDelta(to: number, from: number): number {
  const delta = to - from;
  if (Math.abs(delta) < 0x40000000) return delta;
  for (const period of [0x80000000, 0x100000000]) {
    for (const wrapped of [delta + period, delta - period]) {
      if (Math.abs(wrapped) < 0x10000000) return wrapped;
    }
  }
  return delta;
}
