import type { LogRecord } from "@logtape/logtape";

export interface LogRepeatsOptions {
  /** Milliseconds, on any clock. */
  readonly now: () => number;
  /** Writes one line that stands for `count` others like `record`, of the last `seconds`. */
  readonly sumUp: (record: LogRecord, count: number, seconds: number) => void;
}

/** How long repeats are counted together, in milliseconds. */
const WINDOW_MS = 10_000;
/** Lines of one message that one connection may have in that time. */
const PER_CONNECTION = 20;
/** Lines of one message that one address may have in that time: many clients may share it. */
const PER_ADDRESS = 200;
/** Windows that are kept at a time; the oldest goes first. */
const MAX_WINDOWS = 8192;

interface Window {
  readonly endMs: number;
  readonly budget: number;
  written: number;
  /** The last that was left out. */
  last: LogRecord | undefined;
  leftOut: number;
}

/**
 * Keeps one peer from filling the log: of its events of the same kind so many are written, and the others are counted and
 * summed up in one line. Events without a peer, and those of levels debug and trace, pass.
 */
export class LogRepeats {
  readonly #options: LogRepeatsOptions;
  /** In the order in which they end. */
  readonly #windows = new Map<string, Window>();

  constructor(options: LogRepeatsOptions) {
    this.#options = options;
  }

  /** Whether an event should be written; else it is counted. */
  admit(record: LogRecord): boolean {
    const { connectionId, peer } = record.properties;
    if (typeof peer !== "string" || record.level === "trace" || record.level === "debug") return true;
    const kind = `${record.level} ${record.category.join(".")} ${record.rawMessage}`;
    // Of the address first: a connection that is over it has no line in its own account.
    if (!this.#count(`${kind} ${addressOf(peer)}`, PER_ADDRESS, record)) return false;
    return typeof connectionId !== "string" || this.#count(`${kind} ${connectionId}`, PER_CONNECTION, record);
  }

  /** Sums up what is over. Call it now and then, and at the end with `isEnd`. */
  sweep(isEnd: boolean = false): void {
    const nowMs = this.#options.now();
    for (const [key, window] of this.#windows) {
      if (!isEnd && window.endMs > nowMs) return;
      this.#close(key, window);
    }
  }

  #count(key: string, budget: number, record: LogRecord): boolean {
    const nowMs = this.#options.now();
    let window = this.#windows.get(key);
    if (window !== undefined && window.endMs <= nowMs) {
      this.#close(key, window);
      window = undefined;
    }
    if (window === undefined) {
      const [oldest] = this.#windows.size >= MAX_WINDOWS ? this.#windows : [];
      if (oldest !== undefined) this.#close(...oldest);
      window = { endMs: nowMs + WINDOW_MS, budget, written: 0, last: undefined, leftOut: 0 };
      this.#windows.set(key, window);
    }
    if (window.written < window.budget) {
      window.written++;
      return true;
    }
    window.last = record;
    window.leftOut++;
    return false;
  }

  #close(key: string, { last, leftOut }: Window): void {
    this.#windows.delete(key);
    if (last !== undefined) this.#options.sumUp(last, leftOut, WINDOW_MS / 1000);
  }
}

/** Of a peer, `10.0.0.1:4711` or `::1:4711`, without its port, which is another one in each connection. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "");
}
