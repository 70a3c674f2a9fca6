import { errorText } from "../base/errors.ts";

/** Where lines go: a terminal, a pipe, a file. */
export interface LogSink {
  /** Writes some of `bytes`; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Has what was written put on the disk. */
  sync?(): Promise<void>;
  close(): void;
}

export interface LogWriterOptions {
  readonly sink: LogSink;
  /** Lines were lost, and it flows again. */
  readonly onLost: (lines: number, reason: string) => void;
  /**
   * How much may wait for the sink, in characters.
   *
   * @default {1_048_576}
   */
  readonly maxQueued?: number;
}

const MAX_QUEUED = 1024 * 1024;
/** What is written at once, in characters. */
const BATCH = 64 * 1024;
/** How long to wait for a sink that someone else has made non-blocking, in milliseconds. */
const WOULD_BLOCK_PAUSE_MS = 20;

/**
 * Writes lines without anybody waiting: a sink that takes nothing (a full pipe, a full disk, a slow one) costs lines, which
 * are counted, and nothing else.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #maxQueued: number;
  readonly #encoder = new TextEncoder();
  #queue: string[] = [];
  #queued = 0;
  #drained: Promise<void> | undefined;
  #lost = 0;
  #lostTotal = 0;
  #reason = "";
  /** The last line went out in part. */
  #isBroken = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? MAX_QUEUED;
  }

  /** Lines that were lost so far. */
  get lostTotal(): number {
    return this.#lostTotal;
  }

  /** Takes one line, with its end. */
  write(line: string): void {
    if (this.#queued + line.length > this.#maxQueued) {
      this.#lose(1, "they could not be written fast enough");
      return;
    }
    this.#queue.push(line);
    this.#queued += line.length;
    this.#drained ??= this.#drain();
  }

  /** Resolves when all is written, and on the disk, or after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#settle(), late]);
    clearTimeout(timer);
  }

  /** Flushes, and closes the sink. */
  async close(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#options.sink.close();
  }

  async #settle(): Promise<void> {
    while (this.#drained !== undefined) await this.#drained;
    try {
      await this.#options.sink.sync?.();
    } catch {
      // Not every file can be synced.
    }
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    // What is logged in one turn is written at once.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const lines = this.#takeBatch();
      const failure = await this.#writeAll(lines.join(""));
      if (failure !== undefined) {
        this.#lose(lines.length, failure);
      } else if (this.#lost > 0 && this.#queued <= this.#maxQueued / 2) {
        const lost = this.#lost;
        this.#lost = 0;
        this.#options.onLost(lost, this.#reason);
      }
    }
    this.#drained = undefined;
  }

  #takeBatch(): string[] {
    let length = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || length < BATCH)) {
      length += this.#queue[count++]?.length ?? 0;
    }
    const lines = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#queued -= length;
    return lines;
  }

  /** @returns Why it could not be written; undefined when it was. */
  async #writeAll(text: string): Promise<string | undefined> {
    let bytes = this.#encoder.encode(this.#isBroken ? `\n${text}` : text);
    const { byteLength } = bytes;
    while (bytes.byteLength > 0) {
      try {
        bytes = bytes.subarray(await this.#options.sink.write(bytes));
      } catch (error) {
        if (error instanceof Error && error.name === "WouldBlock") {
          await new Promise((resolve) => setTimeout(resolve, WOULD_BLOCK_PAUSE_MS));
          continue;
        }
        this.#isBroken ||= bytes.byteLength < byteLength;
        return errorText(error);
      }
    }
    this.#isBroken = false;
    return undefined;
  }

  #lose(lines: number, reason: string): void {
    this.#lost += lines;
    this.#lostTotal += lines;
    this.#reason = reason;
  }
}
