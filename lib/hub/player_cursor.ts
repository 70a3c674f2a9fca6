import { filterMessages, type MessageFilter } from "./message_filter.ts";
import type { OutputFormat } from "./output_format.ts";
import { LogHold, type StreamLog } from "./stream_log.ts";

/** Longest piece handed out at once, in bytes, so that one slow write holds little. */
const MAX_SLICE_BYTES = 256 * 1024;

/** Before any place in a log: all headers were missed since. */
const NOWHERE = -1;

/** Where a player joins: the headers as they were at that place, and the place. */
export interface JoinPoint {
  readonly prefix: Uint8Array;
  readonly offset: number;
}

/** What a player reads from; an OutputLog. */
export interface CursorSource {
  readonly format: OutputFormat;
  readonly log: StreamLog;
  /** The cursors on it; one that closes leaves. */
  readonly cursors: Set<PlayerCursor>;
  /** Bytes that its players have been given. */
  givenBytes: number;
  /** Oldest offset that a player may still be at. */
  readonly oldestAllowed: number;
  /** Offset of the newest key frame that a player may be at. */
  readonly resumeOffset: number | undefined;
  /** The headers, as bytes, that a player needs who goes on at `to` without having read from `from` on. */
  missedHeaders(from: number, to: number): Uint8Array | undefined;
  /** Whether a player that fell behind should wait for a key frame. */
  readonly hasVideo: boolean;
  /** Lets every player's writer look for new bytes. */
  flushPlayers(): void;
}

export interface PlayerOptions {
  /** Begin with the group of pictures, if the stream keeps one. */
  readonly fromGop: boolean;
  /** Begin with the headers, and then with the next key frame where the stream has video; not with `fromGop`. */
  readonly fromKeyframe?: boolean;
  /** Called when bytes may be ready that were not: the player's writer should look. */
  readonly onReady?: () => void;
  /** Called when the first bytes of the stream, beside the headers, are given. */
  readonly onFirstMedia?: () => void;
}

/** One player's place in a stream. The bytes it gives are finished and shared, and stay as they are until it is asked for the next. */
export class PlayerCursor {
  readonly output: CursorSource;
  /** Times this player was too slow and was moved to the newest key frame. */
  jumps = 0;
  /** Paused players are given nothing, and lag. */
  isPaused = false;
  #prefix: Uint8Array | undefined;
  #offset: number;
  readonly #hold = new LogHold();
  #filter: MessageFilter | undefined;
  /** Taken, but not filtered yet, the last first: parts of the bytes that all players share. */
  readonly #unfiltered: Uint8Array[] = [];
  /** The rest of the message that was begun last. */
  #tail: Uint8Array | undefined;
  /** Whether what was given last begins and ends with a message. */
  #isWhole = true;
  readonly #onReady: (() => void) | undefined;
  #onFirstMedia: (() => void) | undefined;
  #isWaitingForKeyframe = false;
  #needsHeaders = false;
  /** Where it left off before it jumped. */
  #leftOffset = 0;
  /** Log offset up to which bytes should go out now: what was there at the join, or when the last round of writes began. */
  #dueOffset: number;

  constructor(output: CursorSource, join: JoinPoint, options: PlayerOptions) {
    this.output = output;
    this.#prefix = join.prefix.length > 0 ? join.prefix : undefined;
    this.#offset = join.offset;
    this.#dueOffset = output.log.end;
    if (options.fromKeyframe === true && output.hasVideo) {
      this.#isWaitingForKeyframe = true;
      this.#leftOffset = join.offset;
    }
    this.#onReady = options.onReady;
    this.#onFirstMedia = options.onFirstMedia;
  }

  /** Log offset of the next byte to hand out. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether there is something to hand out now. */
  get isBehind(): boolean {
    if (this.#tail !== undefined) return true;
    return !this.isPaused &&
      (this.#prefix !== undefined || this.#unfiltered.length > 0 || this.#offset < this.output.log.end);
  }

  /** Whether there is something that has been gathered long enough, or that a new player begins with. */
  get isUrgent(): boolean {
    return this.isBehind &&
      (this.#prefix !== undefined || this.#unfiltered.length > 0 || this.isInsideMessage ||
        this.#offset < this.#dueOffset);
  }

  /** Whether what was given last ends inside a message, which `next` goes on with: nothing else may be sent before that. */
  get isInsideMessage(): boolean {
    return this.#tail !== undefined;
  }

  /** The player's writer should look for bytes. */
  notify(): void {
    this.#dueOffset = this.output.log.end;
    this.#onReady?.();
  }

  /** Changes each message for this player alone, or leaves some out; costs copies of small pieces. */
  setFilter(filter: MessageFilter | undefined): void {
    this.#filter = filter;
  }

  /** Gives the headers in force again before what comes next: the player may not have had them, or not kept them. */
  renewHeaders(): void {
    this.#needsHeaders = true;
  }

  /**
   * The next messages for this player, or undefined when it has all; whole ones unless `isInsideMessage`. A player that has fallen
   * too far behind is first moved to the newest key frame. Whoever asks has no use any more for what was given before: its memory
   * may be written again.
   */
  next(): Uint8Array | undefined {
    for (;;) {
      if (this.isPaused && this.#tail === undefined) {
        if (this.#unfiltered.length === 0) this.#hold.move(undefined);
        return undefined;
      }
      const isTail = this.#tail !== undefined;
      const bytes = this.#takeTail() ?? this.#takeFiltered() ?? this.#take();
      this.#isWhole = !isTail && this.#tail === undefined;
      if (bytes === undefined) return undefined;
      if (bytes.length > 0) {
        this.output.givenBytes += bytes.length;
        return bytes;
      }
    }
  }

  /**
   * What to send of the rest of a piece that a slow player has taken only partly: all of it, or, when the player is too far behind
   * by now, only the message it is in.
   *
   * @param slice What `next` gave.
   * @param written How much of it has gone.
   */
  remainder(slice: Uint8Array, written: number): Uint8Array {
    if (!this.#isWhole || this.#filter !== undefined || this.#offset >= this.output.oldestAllowed) {
      return slice.subarray(written);
    }
    let end = 0;
    while (end < written) end = this.output.format.find(slice, end).end;
    return slice.subarray(written, end);
  }

  close(): void {
    this.output.cursors.delete(this);
  }

  #takeTail(): Uint8Array | undefined {
    const tail = this.#tail;
    this.#tail = undefined;
    return tail;
  }

  /** The next piece through the filter; empty when it leaves nothing of a piece. */
  #takeFiltered(): Uint8Array | undefined {
    const filter = this.#filter;
    const headers = this.#unfiltered.length > 0 ? this.#takeHeaders() : undefined;
    const bytes = headers ?? this.#unfiltered.pop() ?? (filter && this.#take());
    if (bytes === undefined) return undefined;
    // A filter that has been taken away leaves the rest as it is.
    if (filter === undefined) return bytes;
    const { piece, tail, consumed } = filterMessages(bytes, this.output.format, filter);
    this.#tail = tail;
    if (consumed < bytes.length) this.#unfiltered.push(bytes.subarray(consumed));
    return piece;
  }

  #take(): Uint8Array | undefined {
    const { log } = this.output;
    const isLate = this.#offset < this.output.oldestAllowed || this.#isWaitingForKeyframe;
    if (isLate && this.#prefix === undefined) this.#jump();
    const prefix = this.#prefix;
    if (prefix !== undefined) {
      this.#prefix = undefined;
      return prefix;
    }
    const slice = log.read(this.#offset, this.#hold);
    if (slice === undefined) return undefined;
    const headers = this.#takeHeaders();
    if (headers !== undefined) return headers;
    const piece = slice.length > MAX_SLICE_BYTES ? this.#cut(slice) : slice;
    this.#offset += piece.length;
    if (this.#onFirstMedia !== undefined) {
      this.#onFirstMedia();
      this.#onFirstMedia = undefined;
    }
    return piece;
  }

  /** The headers in force, when they were asked for again. */
  #takeHeaders(): Uint8Array | undefined {
    if (!this.#needsHeaders) return undefined;
    this.#needsHeaders = false;
    return this.output.missedHeaders(NOWHERE, NOWHERE);
  }

  #jump(): void {
    const { log, resumeOffset } = this.output;
    if (!this.#isWaitingForKeyframe) {
      this.jumps++;
      this.#leftOffset = this.#offset;
    }
    const isResumable = resumeOffset !== undefined && resumeOffset >= this.#offset;
    this.#isWaitingForKeyframe = !isResumable && this.output.hasVideo;
    this.#offset = isResumable ? resumeOffset : log.end;
    if (!this.#isWaitingForKeyframe) this.#prefix = this.output.missedHeaders(this.#leftOffset, this.#offset);
  }

  /** At most MAX_SLICE_BYTES of whole messages, or one message. */
  #cut(slice: Uint8Array): Uint8Array {
    const { format } = this.output;
    let end = format.find(slice, 0).end;
    while (end < slice.length) {
      const next = format.find(slice, end).end;
      if (next > MAX_SLICE_BYTES) break;
      end = next;
    }
    return slice.subarray(0, end);
  }
}
