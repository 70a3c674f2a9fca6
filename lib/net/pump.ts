import type { Clock } from "../base/clock.ts";
import { SHARED_READ_BUFFERS } from "./read_buffers.ts";
import type { ByteDuplex } from "./tcp.ts";

const FIRST_BUFFER_BYTES = 4 * 1024;
const MAX_BUFFER_BYTES = 64 * 1024;
/** So long a connection may keep all others waiting, in milliseconds; then it waits itself until half of the time was theirs. */
const TURN_MS = 10;

export interface PumpOptions {
  /** Takes one read. The bytes are reused after it (or its promise) is done. */
  readonly receive: (bytes: Uint8Array) => void | Promise<void>;
  /** Asked before a read that may find nothing yet: what to wait for first. */
  readonly pause?: () => Promise<void> | undefined;
  /** Whether the buffer may grow; absent: always. */
  readonly mayGrow?: () => boolean;
  /** By which a connection that sends faster than it can be handled gives way to the others; absent: it never does. */
  readonly clock?: Clock;
}

/**
 * Reads a connection to its end into a buffer that grows while it is filled: players, who say little, keep 4 KiB each. While a
 * connection pauses it has none.
 *
 * @throws What reading or `receive` throws.
 */
export async function pumpBytes(duplex: ByteDuplex, options: PumpOptions): Promise<void> {
  const share = options.clock && new Share(options.clock);
  let byteLength = FIRST_BUFFER_BYTES;
  for (;;) {
    // One that a read has failed into is not used again: the runtime may hold it still.
    const buffer = SHARED_READ_BUFFERS.take(byteLength);
    const count = await duplex.read(buffer);
    if (count === null) return;
    share?.begin();
    const handled = options.receive(buffer.subarray(0, count));
    share?.end();
    if (handled !== undefined) await handled;
    const turn = share?.turn();
    if (turn !== undefined) await turn;
    SHARED_READ_BUFFERS.giveBack(buffer);
    const isFull = count === byteLength;
    if (isFull && byteLength < MAX_BUFFER_BYTES && (options.mayGrow?.() ?? true)) byteLength *= 2;
    // After a full read there is more, which has waited already.
    const pause = isFull ? undefined : options.pause?.();
    if (pause !== undefined) await pause;
  }
}

/** One connection's share of the thread. What it sends is always there to be read, so it would be read before all others, for ever. */
class Share {
  readonly #clock: Clock;
  #sinceMs: number;
  #begunMs = 0;
  #usedMs = 0;
  /** When it may go on. */
  #turnMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  begin(): void {
    this.#begunMs = this.#clock.now();
  }

  end(): void {
    const nowMs = this.#clock.now();
    this.#usedMs += nowMs - this.#begunMs;
    if (this.#usedMs < TURN_MS) return;
    const waitMs = Math.min(2 * this.#usedMs - (nowMs - this.#sinceMs), TURN_MS);
    this.#usedMs = 0;
    this.#turnMs = this.#sinceMs = nowMs + Math.max(0, waitMs);
  }

  /** Resolves when the connection may go on; undefined: at once. */
  turn(): Promise<void> | undefined {
    const waitMs = this.#turnMs - this.#clock.now();
    if (waitMs <= 0) return undefined;
    return new Promise((resolve) => this.#clock.setTimer(resolve, waitMs));
  }
}
