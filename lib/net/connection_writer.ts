import { joinBytes } from "../base/join_bytes.ts";

/** Media for one connection, as whole messages; a player's cursor is one. */
export interface MediaSource {
  /** The next whole messages, or undefined when there are none now. */
  next(): Uint8Array | undefined;
  /** What `next` gave last ends inside a message: its rest must be the next that is sent. */
  readonly isInsideMessage?: boolean;
  /** What of a partly sent piece must still be sent. */
  remainder(slice: Uint8Array, written: number): Uint8Array;
  readonly isBehind: boolean;
  /** There is more, and it should not wait for the next round. */
  readonly isUrgent?: boolean;
}

/** More than this left to send after a write goes out at once, without waiting for the next round. */
const BACKLOG_BYTES = 64 * 1024;

/**
 * The only one who writes to a connection: session output first, then media, always whole messages after one another, never more than
 * one write under way. What media there is to send is asked for only when it can be sent, so a slow peer holds no memory.
 */
export class ConnectionWriter {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #onError: (error: unknown) => void;
  readonly #onMoreLater: () => void;
  readonly #control: Uint8Array[] = [];
  readonly #sources: MediaSource[] = [];
  /** The piece under way and where it came from. */
  #slice: Uint8Array | undefined;
  #sliceSource: MediaSource | undefined;
  /** The source whose message is sent only in part, also when it has been removed since. */
  #unfinished: MediaSource | undefined;
  #written = 0;
  #isWriting = false;
  #isClosed = false;
  #controlBytes = 0;
  #drained: (() => void) | undefined;
  /** Bytes that the socket has taken. */
  sentBytes = 0;
  /** Writes made; what they cost is what a player costs. */
  writes = 0;
  /** Which write somebody has looked at, and when he did first. */
  #seenWrite = 0;
  #seenMs = 0;
  readonly #now: () => number;

  /**
   * @param write Sends some bytes, resolves to how many.
   * @param onError The connection, or a source, failed; called once.
   * @param onMoreLater There is more to send, not urgent: call `flush` in the next round.
   */
  constructor(options: {
    write: (bytes: Uint8Array) => Promise<number>;
    onError: (error: unknown) => void;
    onMoreLater: () => void;
    now: () => number;
  }) {
    this.#write = options.write;
    this.#onError = options.onError;
    this.#onMoreLater = options.onMoreLater;
    this.#now = options.now;
  }

  /**
   * Since when the write under way has not been done, by `now`: since this was asked for the first time while it was. Undefined while
   * none is. To be asked about twice a second; looking at the clock for every write costs more than all else here.
   */
  get writingSinceMs(): number | undefined {
    if (!this.#isWriting) return undefined;
    if (this.#seenWrite !== this.writes) {
      this.#seenWrite = this.writes;
      this.#seenMs = this.#now();
    }
    return this.#seenMs;
  }

  /** Bytes of session output not yet sent. */
  get queuedBytes(): number {
    return this.#controlBytes;
  }

  addSource(source: MediaSource): void {
    this.#sources.push(source);
  }

  removeSource(source: MediaSource): void {
    const index = this.#sources.indexOf(source);
    if (index >= 0) this.#sources.splice(index, 1);
  }

  /** Queues session output and sends it as soon as the message under way is out. */
  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#control.push(bytes);
    this.#controlBytes += bytes.length;
    this.flush();
  }

  /** Begins a write if there is something to send and none is under way. */
  flush(): void {
    if (this.#isWriting || this.#isClosed) return;
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#nextBytes();
    } catch (error) {
      // A fault in a source must cost its own connection, not the round of writes that it is in.
      this.#onFailed(error);
      return;
    }
    if (bytes === undefined) {
      this.#drained?.();
      return;
    }
    this.#isWriting = true;
    this.writes++;
    this.#write(bytes).then(this.#onWritten, this.#onFailed);
  }

  /** Whether nothing is being written, and no session output waits. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#control.length === 0 && this.#unfinished === undefined;
  }

  /** Resolves when all session output is out, or the writer is closed. */
  drained(): Promise<void> {
    if (this.#isClosed || this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** No more writes. */
  close(): void {
    this.#isClosed = true;
    this.#control.length = 0;
    this.#sources.length = 0;
    this.#slice = undefined;
    this.#sliceSource = undefined;
    this.#unfinished = undefined;
    this.#drained?.();
  }

  readonly #onWritten = (count: number): void => {
    this.#isWriting = false;
    this.sentBytes += count;
    if (this.#isClosed) return;
    this.#written += count;
    const slice = this.#slice as Uint8Array;
    if (this.#written < slice.length) {
      if (this.#goOn(slice)) return;
    }
    this.#slice = undefined;
    this.#sliceSource = undefined;
    if (this.#control.length > 0 || this.#unfinished !== undefined || slice.length >= BACKLOG_BYTES) {
      this.flush();
      return;
    }
    let isBehind = false;
    for (const source of this.#sources) {
      if (source.isUrgent) return this.flush();
      isBehind ||= source.isBehind;
    }
    if (isBehind) this.#onMoreLater();
    this.#drained?.();
  };

  /** Sends what must still be sent of a piece that was taken partly; false: nothing. */
  #goOn(slice: Uint8Array): boolean {
    let rest: Uint8Array;
    try {
      rest = this.#sliceSource?.remainder(slice, this.#written) ?? slice.subarray(this.#written);
    } catch (error) {
      this.#onFailed(error);
      return true;
    }
    if (rest.length === 0) return false;
    this.#slice = slice.subarray(0, this.#written + rest.length);
    this.flush();
    return true;
  }

  readonly #onFailed = (error: unknown): void => {
    this.#isWriting = false;
    if (this.#isClosed) return;
    this.close();
    this.#onError(error);
  };

  #nextBytes(): Uint8Array | undefined {
    if (this.#slice !== undefined) {
      return this.#written === 0 ? this.#slice : this.#slice.subarray(this.#written);
    }
    this.#written = 0;
    if (this.#unfinished !== undefined) return this.#take(this.#unfinished);
    if (this.#control.length > 0) {
      this.#slice = this.#control.length === 1 ? this.#control[0] : joinBytes(this.#control);
      this.#control.length = 0;
      this.#controlBytes = 0;
      return this.#slice;
    }
    for (const source of this.#sources) {
      const slice = this.#take(source);
      if (slice !== undefined) return slice;
    }
    return undefined;
  }

  #take(source: MediaSource): Uint8Array | undefined {
    const slice = source.next();
    this.#unfinished = source.isInsideMessage ? source : undefined;
    if (slice !== undefined) {
      this.#slice = slice;
      this.#sliceSource = source;
    }
    return slice;
  }
}
