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
 * A publisher's time begins near 0, a pull's is that of the stream that it pulls. A new feed, and a jump within a feed, go on from the
 * last time. Low frame rates and pauses keep their gaps: what counts as a jump is measured against the time that really passed.
 */
export class StreamClock {
  readonly #tracks = new Map<number, Track>();
  /** The last time given for each track of earlier feeds. */
  readonly #floors = new Map<number, number>();
  /** The last input of each track of a pull that broke: what comes again when the same stream is pulled again. */
  readonly #replayed = new Map<number, number>();
  #keepsTime = false;
  /** The feed's last timestamp, unwrapped: the next ones are taken as differences from it. */
  #lastInput: number | undefined;
  /** What the present pull, or the last one, adds to its timestamps. */
  #pullOffset = 0;
  #last: number | undefined;
  #lastNowMs = 0;

  /**
   * A new feed: its first message continues the time, whatever its timestamp.
   *
   * @param kind A `pull` keeps its timestamps where time does not jump by that.
   */
  restart(kind: "publish" | "pull" = "publish"): void {
    this.#replayed.clear();
    const wasPull = this.#keepsTime;
    this.#keepsTime = kind === "pull";
    // All tracks of the new feed share one offset, found at its first frame. A track whose first message is older than that
    // must still not go back behind its last one.
    for (const [typeId, { lastOutput, lastInput }] of this.#tracks) {
      this.#floors.set(typeId, lastOutput);
      if (wasPull && this.#keepsTime) this.#replayed.set(typeId, lastInput);
    }
    if (!wasPull || !this.#keepsTime) {
      this.#lastInput = undefined;
      this.#pullOffset = 0;
    }
    this.#tracks.clear();
  }

  /** The latest time given, or undefined before the first. */
  get last(): number | undefined {
    return this.#last;
  }

  /**
   * The stream's time for a frame.
   *
   * @param typeId 8 or 9: its track.
   * @param timestamp The feed's, in milliseconds: 31 or 32 bits, which may wrap.
   * @param nowMs Monotonic milliseconds, when it came.
   * @param isKnown It came before, from an earlier feed: a pull that begins with it is of the same stream.
   * @returns Milliseconds that grow without wrapping; cut them to 32 bits where they are written. Undefined: a pull that broke and
   * came back says again what it said before.
   */
  correct(typeId: number, timestamp: number, nowMs: number, isKnown: boolean = false): number | undefined {
    const input = this.#unwrap(timestamp);
    let track = this.#tracks.get(typeId);
    if (track === undefined) {
      const offset = this.#firstOffset(input, nowMs, isKnown);
      track = {
        lastInput: input,
        lastOutput: this.#floors.get(typeId) ?? 0,
        lastNowMs: nowMs,
        offset,
      };
      this.#tracks.set(typeId, track);
    } else {
      const delta = input - track.lastInput;
      const elapsedMs = nowMs - track.lastNowMs;
      if (delta < -MAX_BACKWARD_MS || delta > elapsedMs + MAX_FORWARD_MS) {
        track.offset = this.#jumpOffset(track, input);
        this.#replayed.clear();
      }
      track.lastInput = input;
      track.lastNowMs = nowMs;
    }
    this.#lastInput = input;
    if (this.#replayed.size > 0 && this.#isReplayed(typeId, input)) return undefined;
    if (this.#keepsTime) this.#pullOffset = track.offset;
    this.#lastNowMs = nowMs;
    const output = Math.max(input + track.offset, track.lastOutput);
    track.lastOutput = output;
    if (this.#last === undefined || output > this.#last) this.#last = output;
    return output;
  }

  /**
   * The stream's time for a codec header. Encoders stamp headers with anything, so a header moves no time line.
   *
   * @param typeId 8 or 9: its track.
   * @param timestamp The feed's.
   */
  headerTime(typeId: number, timestamp: number, nowMs: number): number {
    const track = this.#tracks.get(typeId);
    if (track === undefined) return this.#firstHeaderTime(typeId, timestamp);
    const delta = this.#unwrap(timestamp) - track.lastInput;
    if (delta >= 0 && delta <= nowMs - track.lastNowMs + MAX_FORWARD_MS) {
      track.lastOutput = Math.max(track.lastOutput, track.lastInput + delta + track.offset);
      if (track.lastOutput > (this.#last ?? 0)) this.#last = track.lastOutput;
    }
    return track.lastOutput;
  }

  /** The time of a header that comes before its track's first frame. */
  #firstHeaderTime(typeId: number, timestamp: number): number {
    const last = this.#last;
    const floor = this.#floors.get(typeId);
    const other = this.#tracks.values().next().value;
    if (other === undefined) {
      // Nobody knows yet where the feed's time begins.
      if (this.#keepsTime) return floor ?? last ?? timestamp;
      return last === undefined ? 0 : last + STEP_MS;
    }
    const inLine = this.#unwrap(timestamp) + other.offset;
    const time = Math.abs(inLine - other.lastOutput) < MAX_FORWARD_MS ? inLine : other.lastOutput;
    const output = Math.max(time, floor ?? 0);
    this.#floors.set(typeId, output);
    return output;
  }

  /** The timestamp without its wraps, those at 31 bits (SRS) as those at 32. */
  #unwrap(timestamp: number): number {
    const last = this.#lastInput;
    return last === undefined ? timestamp : last + signed31(timestamp - last);
  }

  #firstOffset(input: number, nowMs: number, isKnown: boolean): number {
    const other = this.#tracks.values().next().value;
    if (other !== undefined && Math.abs(input + other.offset - other.lastOutput) < MAX_FORWARD_MS) {
      return other.offset;
    }
    if (other === undefined && this.#last === undefined) return this.#keepsTime ? 0 : originOffset(input);
    if (other === undefined && this.#keepsTime) return this.#pullAgain(input, nowMs, isKnown);
    return (this.#last ?? 0) + STEP_MS - input;
  }

  /** Goes on with the timestamps as they are, or as they were changed before, if time does not jump by that. */
  #pullAgain(input: number, nowMs: number, isKnown: boolean): number {
    const last = this.#last ?? 0;
    const maxMs = Math.max(nowMs - this.#lastNowMs, 0) + MAX_FORWARD_MS;
    for (const offset of [this.#pullOffset, 0]) {
      // Time has 32 bits there.
      const delta = (input + offset - last) | 0;
      const isSame = isKnown && offset === this.#pullOffset;
      if (isSame || (delta >= -MAX_BACKWARD_MS && delta <= maxMs)) {
        if (offset !== this.#pullOffset) this.#replayed.clear();
        return last + delta - input;
      }
    }
    this.#replayed.clear();
    return last + STEP_MS - input;
  }

  #isReplayed(typeId: number, input: number): boolean {
    const until = this.#replayed.get(typeId);
    if (until === undefined) return false;
    if (input <= until) return true;
    this.#replayed.delete(typeId);
    return false;
  }

  /** After a jump: the other track's time line if it has jumped already, else a new one from the last time. */
  #jumpOffset(track: Track, input: number): number {
    for (const other of this.#tracks.values()) {
      if (other !== track && Math.abs(input + other.offset - (this.#last ?? 0)) < SAME_LINE_MS) {
        return other.offset;
      }
    }
    return (this.#last ?? 0) + STEP_MS - input;
  }
}

/** Lets a publisher's time begin at 0; a first time that could have followed a 0 is left as it is. */
function originOffset(input: number): number {
  const time = signed31(input);
  return time >= 0 && time <= MAX_FORWARD_MS ? time - input : -input;
}

/** A difference of timestamps that have 31 bits or 32. */
function signed31(difference: number): number {
  return (difference << 1) >> 1;
}
