import { inBackground } from "../base/background.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { ConnectionWriter } from "../net/connection_writer.ts";
import { pumpBytes, type PumpOptions } from "../net/pump.ts";
import { type ByteDuplex, isConnectionLoss } from "../net/tcp.ts";

/** How long a closing connection may take for its last words, in milliseconds. */
const LINGER_MS = 1000;

export interface ConnectionSocketOptions {
  readonly clock: Clock;
  /** Nothing can be written any more. */
  readonly onWriteError: (error: unknown) => void;
  /** There is media left to write, not urgent. */
  readonly onMoreLater: () => void;
}

/** The socket of a connection: one pump that reads it, one writer that writes it, and an end in good order. */
export class ConnectionSocket {
  readonly writer: ConnectionWriter;
  readonly #duplex: ByteDuplex;
  readonly #clock: Clock;
  readonly #gone = Promise.withResolvers<void>();
  #isReading = false;
  /** Our direction has ended; the peer's is read to its end. */
  #isFinished = false;
  #lingerTimer: Timer | undefined;

  constructor(duplex: ByteDuplex, { clock, onWriteError, onMoreLater }: ConnectionSocketOptions) {
    this.#duplex = duplex;
    this.#clock = clock;
    this.writer = new ConnectionWriter({
      write: (bytes) => duplex.write(bytes),
      onError: onWriteError,
      onMoreLater,
      now: () => clock.now(),
    });
  }

  /** Resolves when the socket is closed, after `end`. */
  get closed(): Promise<void> {
    return this.#gone.promise;
  }

  /** The peer's address. */
  get ip(): string {
    return this.#duplex.remoteAddress.hostname;
  }

  /** The peer, `host:port` without brackets. */
  get peer(): string {
    const { hostname, port } = this.#duplex.remoteAddress;
    return `${hostname}:${port}`;
  }

  /**
   * Reads to the end.
   *
   * @returns What ended it; undefined: the peer has closed.
   * @throws {unknown} A fault of this program.
   */
  async read(options: Omit<PumpOptions, "clock">): Promise<RtmpError | undefined> {
    this.#isReading = true;
    try {
      await pumpBytes(this.#duplex, { ...options, clock: this.#clock });
      return undefined;
    } catch (error) {
      if (error instanceof RtmpError) return error;
      if (isConnectionLoss(error)) {
        return new RtmpError("connection-lost", errorText(error), { cause: error });
      }
      throw error;
    } finally {
      this.#isReading = false;
      if (this.#isFinished) this.cut();
    }
  }

  /** Whether small writes go out at once. */
  setNoDelay(isOn: boolean): void {
    this.#duplex.setNoDelay?.(isOn);
  }

  /**
   * Closes when everything is written, at the latest after a moment.
   *
   * @param isRead The peer sends all the time: a socket that is closed with bytes unread is reset, and what was said last is lost with it.
   */
  end(isRead: boolean): void {
    this.#lingerTimer = this.#clock.setTimer(() => this.cut(), LINGER_MS);
    const drained = this.writer.drained().then(async () => {
      if (!isRead || !this.#isReading || this.#duplex.finish === undefined) return this.cut();
      // The pump ends when the peer has closed too.
      this.#isFinished = true;
      await this.#duplex.finish().catch(() => this.cut());
    });
    inBackground(drained, "closing a connection");
  }

  /** Closes at once. */
  cut(): void {
    if (this.#lingerTimer !== undefined) this.#clock.clearTimer(this.#lingerTimer);
    this.writer.close();
    this.#duplex.close();
    this.#gone.resolve();
  }
}
