import type { Clock } from "../base/clock.ts";
import { RtmpError } from "../base/errors.ts";
import type { ConnectionWriter } from "../net/connection_writer.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ServerSession } from "../session/server_session.ts";

/** Control messages that a connected peer makes us queue while it reads nothing, in bytes. */
const MAX_QUEUED_BYTES = 1024 * 1024;

export interface SessionLoopOptions {
  readonly session: ServerSession;
  readonly writer: ConnectionWriter;
  readonly clock: Clock;
  /** Handles one event; a promise when it needs an answer from elsewhere, for which the next event waits. */
  readonly onEvent: (event: ServerEvent, nowMs: number) => Promise<void> | undefined;
  /** Whether the connection has ended: then nothing is handled any more. */
  readonly isOver: () => boolean;
}

/** Gives a session what is read, hands on its events in order, and sends what it has to say: the drain rule, kept in one place. */
export class SessionLoop {
  readonly #options: SessionLoopOptions;
  receivedBytes = 0;

  constructor(options: SessionLoopOptions) {
    this.#options = options;
  }

  /**
   * Takes one read; the bytes are used until it, or its promise, is done.
   *
   * @throws {unknown} What the session or `onEvent` throws.
   */
  receive(bytes: Uint8Array): void | Promise<void> {
    const { session, isOver } = this.#options;
    if (isOver()) return;
    this.receivedBytes += bytes.length;
    // A read that fills its buffer leaves more behind.
    session.receive(bytes, bytes.length === bytes.buffer.byteLength);
    return this.#drain();
  }

  /** Sends what the session has to say. */
  flush(): void {
    const output = this.#options.session.takeOutput();
    if (output !== undefined) this.#options.writer.send(output);
  }

  #drain(): void | Promise<void> {
    const { session, writer, clock, onEvent, isOver } = this.#options;
    try {
      const nowMs = clock.now();
      for (;;) {
        if (isOver()) return;
        const event = session.nextEvent(nowMs);
        if (event === undefined) break;
        const request = onEvent(event, nowMs);
        if (request !== undefined) {
          this.flush();
          return this.#drainSlowly(request);
        }
      }
    } finally {
      this.flush();
    }
    const { queuedBytes } = writer;
    if (queuedBytes <= MAX_QUEUED_BYTES) return;
    throw new RtmpError(
      "send-timeout",
      `Cannot answer: ${queuedBytes} bytes are queued for a peer that does not read, limit is ${MAX_QUEUED_BYTES}`,
    );
  }

  async #drainSlowly(request: Promise<void>): Promise<void> {
    await request;
    this.flush();
    await this.#drain();
  }
}
