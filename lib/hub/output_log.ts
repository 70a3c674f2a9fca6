import { MESSAGE_TYPE } from "../wire/message_type.ts";
import type { OutputFormat, StreamMessage } from "./output_format.ts";
import { StreamLog } from "./stream_log.ts";
import { type CursorSource, type JoinPoint, PlayerCursor, type PlayerOptions } from "./player_cursor.ts";

/** How often the position of a moment is noted, in milliseconds of media; how exact `queueLengthMs` is. */
const MARK_INTERVAL_MS = 250;

interface Mark {
  readonly offset: number;
  readonly timestamp: number;
}

/** One live stream in one output format: its log, its group-of-pictures index, its players. */
export class OutputLog implements CursorSource {
  readonly format: OutputFormat;
  readonly cursors: Set<PlayerCursor> = new Set();
  /** Whether a player that fell behind should wait for a key frame. */
  hasVideo = false;
  readonly #log: StreamLog;
  readonly #queueLengthMs: number;
  readonly #marks: Mark[] = [];
  #gop:
    | { readonly offset: number; readonly timestamp: number; readonly headers: readonly StreamMessage[] }
    | undefined;
  #gopPrefix: Uint8Array | undefined;
  #newestKeyframe: number | undefined;

  /** @param queueLengthMs How far a player may fall behind, in milliseconds of media. */
  constructor(format: OutputFormat, queueLengthMs: number, log: StreamLog = new StreamLog()) {
    this.format = format;
    this.#queueLengthMs = queueLengthMs;
    this.#log = log;
  }

  get log(): StreamLog {
    return this.#log;
  }

  /** Offset of the group of pictures that a new player gets first, or undefined: it starts at the end. */
  get gopOffset(): number | undefined {
    return this.#gop?.offset;
  }

  /** Oldest offset that a player may still be at. */
  get oldestAllowed(): number {
    return this.#marks[0]?.offset ?? this.#log.start;
  }

  /** Offset of the newest key frame still held: where a player that fell behind goes on. */
  get resumeOffset(): number | undefined {
    return this.#newestKeyframe;
  }

  append(message: StreamMessage): void {
    const log = this.#log;
    const offset = log.end;
    const { format } = this;
    const isNewSegment = log.append(
      format.length(message),
      (target, at) => format.write(target, at, message),
    );
    const last = this.#marks.at(-1);
    if (message.typeId === MESSAGE_TYPE.data) {
      // Has no time of its own.
    } else if (last === undefined || elapsed(last.timestamp, message.timestamp) >= MARK_INTERVAL_MS) {
      // What came before the first message with a time is as old as that one.
      this.#marks.push({ offset: last === undefined ? log.start : offset, timestamp: message.timestamp });
      while (elapsed((this.#marks[0] as Mark).timestamp, message.timestamp) > this.#queueLengthMs) {
        this.#marks.shift();
      }
    }
    if (isNewSegment) this.#trim();
  }

  /** Lets every player's writer look for new bytes. */
  flushPlayers(): void {
    for (const cursor of this.cursors) cursor.notify();
  }

  /** A group of pictures begins with the next message appended; `headers` are what a player needs before it. */
  beginGop(timestamp: number, headers: readonly StreamMessage[]): void {
    this.#gop = { offset: this.#log.end, timestamp, headers };
    this.#gopPrefix = undefined;
    this.#newestKeyframe = this.#log.end;
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
    for (let offset = gop.offset; offset < this.#log.end;) {
      const bytes = this.#log.read(offset) as Uint8Array;
      for (let at = 0; at < bytes.length;) {
        const message = this.format.read(bytes, at);
        target.append(message);
        at = message.end;
      }
      offset += bytes.length;
    }
  }

  /** A new player. `current` are the headers for one that starts at the end of the log. */
  subscribe(
    options: PlayerOptions,
    current: () => { headers: readonly StreamMessage[]; timestamp: number },
  ): PlayerCursor {
    const cursor = new PlayerCursor(this, this.#join(options.fromGop, current), options);
    this.cursors.add(cursor);
    return cursor;
  }

  #join(
    fromGop: boolean,
    current: () => { headers: readonly StreamMessage[]; timestamp: number },
  ): JoinPoint {
    const gop = this.#gop;
    if (fromGop && gop !== undefined) {
      this.#gopPrefix ??= this.#render(gop.headers, gop.timestamp);
      return { prefix: this.#gopPrefix, offset: gop.offset };
    }
    const { headers, timestamp } = current();
    return { prefix: this.#render(headers, timestamp), offset: this.#log.end };
  }

  /** Headers as bytes, stamped with the time of what follows them. */
  #render(headers: readonly StreamMessage[], timestamp: number): Uint8Array {
    const stamped = headers.map((header) =>
      header.typeId === MESSAGE_TYPE.data ? header : { ...header, timestamp }
    );
    const bytes = new Uint8Array(stamped.reduce((sum, header) => sum + this.format.length(header), 0));
    let offset = 0;
    for (const header of stamped) offset = this.format.write(bytes, offset, header);
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
    if (this.#newestKeyframe !== undefined && this.#newestKeyframe < this.#log.start) {
      this.#newestKeyframe = undefined;
    }
  }
}

/** Milliseconds from one stream time to a later one, across the 31-bit wrap. */
function elapsed(from: number, to: number): number {
  return (to - from) & 0x7fffffff;
}
