import { MESSAGE_TYPE } from "../wire/message_type.ts";
import type { OutputFormat, StreamMessage } from "./output_format.ts";
import { SegmentSize } from "./segment_size.ts";
import { LogHold, StreamLog } from "./stream_log.ts";
import { type CursorSource, type JoinPoint, PlayerCursor, type PlayerOptions } from "./player_cursor.ts";

/** How often the position of a moment is noted, in milliseconds of media; how exact `queueLengthMs` is. */
const MARK_INTERVAL_MS = 250;
/** With a long queue it is noted less often: there are no more than so many positions. */
const MAX_MARKS = 128;
/** How far a player may fall behind in bytes, however little time that is by the timestamps. */
const MAX_LAG_BYTES = 32 * 1024 * 1024;
/** Headers that are written once serve those who join for so long after, in milliseconds of media. */
const SHARED_HEADERS_MS = 1000;

interface Mark {
  readonly offset: number;
  readonly timestamp: number;
}

/** Where a group of pictures begins, and what a decoder needs before it. */
interface Gop {
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: readonly StreamMessage[];
}

/** The headers in force, the same array until they change, for a player that starts at the end of the log, and the time there. */
export type CurrentHeaders = () => { headers: readonly StreamMessage[]; timestamp: number };

/** One live stream in one output format: its log, its group-of-pictures index, its players. */
export class OutputLog implements CursorSource {
  readonly format: OutputFormat;
  readonly cursors: Set<PlayerCursor> = new Set();
  /** Whether a player that fell behind should wait for a key frame. */
  hasVideo = false;
  /** Bytes that its players have been given. */
  givenBytes = 0;
  readonly #log: StreamLog;
  readonly #segmentSize = new SegmentSize();
  readonly #queueLengthMs: number;
  readonly #markIntervalMs: number;
  readonly #marks: Mark[] = [];
  readonly #currentHeaders: CurrentHeaders;
  #gop: Gop | undefined;
  #gopPrefix: Uint8Array | undefined;
  /** The headers that were written last. */
  #rendered: { headers: readonly StreamMessage[]; timestamp: number; bytes: Uint8Array } | undefined;
  /** The newest group, also when it has grown too long to be given to new players. */
  #newest: Gop | undefined;
  #newestHeaderOffset = -1;

  /** @param queueLengthMs How far a player may fall behind, in milliseconds of media. */
  constructor(
    format: OutputFormat,
    queueLengthMs: number,
    currentHeaders: CurrentHeaders,
    log: StreamLog = new StreamLog(),
  ) {
    this.format = format;
    this.#queueLengthMs = queueLengthMs;
    this.#markIntervalMs = Math.max(MARK_INTERVAL_MS, queueLengthMs / MAX_MARKS);
    this.#currentHeaders = currentHeaders;
    this.#log = log;
  }

  get log(): StreamLog {
    return this.#log;
  }

  /** Offset of the group of pictures that a new player gets first, or undefined: it starts at the end. */
  get gopOffset(): number | undefined {
    return this.#gop?.offset;
  }

  /**
   * Oldest offset that a player may still be at. The group of pictures is held anyway, however long it lasts, and there is none to
   * jump to behind it: who is in it is not too far behind.
   */
  get oldestAllowed(): number {
    const oldest = Math.max(this.#marks[0]?.offset ?? this.#log.start, this.#log.end - MAX_LAG_BYTES);
    return this.#gop === undefined ? oldest : Math.min(oldest, this.#gop.offset);
  }

  /** Offset of the newest key frame that a player may be at: where one that fell behind goes on. */
  get resumeOffset(): number | undefined {
    const offset = this.#newest?.offset;
    return offset === undefined || offset < this.oldestAllowed ? undefined : offset;
  }

  append(message: StreamMessage): void {
    const log = this.#log;
    const offset = log.end;
    const { format } = this;
    const isNewSegment = log.append(
      format.length(message),
      (target, at) => format.write(target, at, message),
      this.#segmentSize.bytes(this.cursors.size),
    );
    const last = this.#marks.at(-1);
    if (message.typeId === MESSAGE_TYPE.data) {
      // Has no time of its own.
    } else if (last === undefined || elapsed(last.timestamp, message.timestamp) >= this.#markIntervalMs) {
      // What came before the first message with a time is as old as that one.
      this.#marks.push({ offset: last === undefined ? log.start : offset, timestamp: message.timestamp });
      while (elapsed((this.#marks[0] as Mark).timestamp, message.timestamp) > this.#queueLengthMs) {
        this.#marks.shift();
      }
    }
    if (!isNewSegment) return;
    this.#segmentSize.note(offset, message.timestamp);
    this.#trim();
  }

  /** Lets every player's writer look for new bytes. */
  flushPlayers(): void {
    for (const cursor of this.cursors) cursor.notify();
  }

  /** A group of pictures begins with the next message appended; `headers` are what a player needs before it. */
  beginGop(timestamp: number, headers: readonly StreamMessage[]): void {
    this.#gop = this.#newest = { offset: this.#log.end, timestamp, headers };
    this.#gopPrefix = undefined;
    // The group before is needed by those who lag, if at all.
    this.#trim();
  }

  /** The next message appended is metadata or a codec header. */
  noteHeader(): void {
    this.#newestHeaderOffset = this.#log.end;
  }

  /** The headers, as bytes, that a player needs who goes on at `to` without having read from `from` on; undefined when none came there. */
  missedHeaders(from: number, to: number): Uint8Array | undefined {
    if (this.#newestHeaderOffset < from) return undefined;
    const { headers, timestamp } = this.#newest?.offset === to ? this.#newest : this.#currentHeaders();
    return headers.length === 0 ? undefined : this.#render(headers, timestamp);
  }

  /** New players are given the newest group again, if it is held still. */
  resumeGop(): void {
    this.#gop = this.#newest;
    this.#gopPrefix = undefined;
  }

  /** New players start at the end until the next `beginGop`. */
  dropGop(): void {
    this.#gop = undefined;
    this.#gopPrefix = undefined;
  }

  /** Appends the group of pictures held here to an empty log of another format. */
  copyGop(target: OutputLog): void {
    const gop = this.#gop;
    if (gop === undefined) return;
    target.beginGop(gop.timestamp, gop.headers);
    const hold = new LogHold();
    for (let offset = gop.offset; offset < this.#log.end;) {
      const bytes = this.#log.read(offset, hold) as Uint8Array;
      for (let at = 0; at < bytes.length;) {
        const message = this.format.read(bytes, at);
        target.append(message);
        at = message.end;
      }
      offset += bytes.length;
    }
    hold.move(undefined);
  }

  /** A new player. */
  subscribe(options: PlayerOptions): PlayerCursor {
    const cursor = new PlayerCursor(this, this.#join(options.fromGop), options);
    this.cursors.add(cursor);
    return cursor;
  }

  #join(fromGop: boolean): JoinPoint {
    const gop = this.#gop;
    if (fromGop && gop !== undefined) {
      this.#gopPrefix ??= this.#render(gop.headers, gop.timestamp);
      return { prefix: this.#gopPrefix, offset: gop.offset };
    }
    const { headers, timestamp } = this.#currentHeaders();
    return { prefix: this.#render(headers, timestamp), offset: this.#log.end };
  }

  /** Headers as bytes, stamped with the time of what follows them, or not long before: slow players may hold them long. */
  #render(headers: readonly StreamMessage[], timestamp: number): Uint8Array {
    const last = this.#rendered;
    if (last?.headers === headers) {
      const ageMs = elapsed(last.timestamp, timestamp);
      if (ageMs >= 0 && ageMs < SHARED_HEADERS_MS) return last.bytes;
    }
    const stamped = headers.map((header) =>
      header.typeId === MESSAGE_TYPE.data ? header : { ...header, timestamp }
    );
    const bytes = new Uint8Array(stamped.reduce((sum, header) => sum + this.format.length(header), 0));
    let offset = 0;
    for (const header of stamped) offset = this.format.write(bytes, offset, header);
    this.#rendered = { headers, timestamp, bytes };
    return bytes;
  }

  /** Lets go of what no player and no group of pictures needs. */
  #trim(): void {
    let needed = this.#gop?.offset ?? this.#log.end;
    const oldestAllowed = this.oldestAllowed;
    for (const { offset } of this.cursors) {
      if (offset < needed) needed = Math.max(offset, Math.min(oldestAllowed, needed));
    }
    this.#log.trim(needed);
    if (this.#newest !== undefined && this.#newest.offset < this.#log.start) this.#newest = undefined;
  }
}

/** Milliseconds from one stream time to another across the wrap at 32 bits; negative where audio and video are not in step. */
function elapsed(from: number, to: number): number {
  return (to - from) | 0;
}
