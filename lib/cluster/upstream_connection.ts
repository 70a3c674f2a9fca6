import type { Clock, Timer } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { hostAndPort } from "../base/stream_address.ts";
import { ConnectionWriter, type MediaSource } from "../net/connection_writer.ts";
import { pumpBytes } from "../net/pump.ts";
import type { ByteDuplex, SocketAddress } from "../net/tcp.ts";
import { type ClientEvent, ClientSession, type ClientSessionOptions } from "../session/client_session.ts";

/** After so long without a byte the other server is asked for a sign of life, in milliseconds. */
const PING_AFTER_MS = 500;

/** Opens a TCP connection within a time; rejects with the reason. */
export type Dial = (address: SocketAddress, timeoutMs: number) => Promise<ByteDuplex>;

export interface UpstreamOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly session: ClientSessionOptions;
  readonly address: SocketAddress;
  /** How long TCP may take, and then the first byte, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The other server has sent its first byte. */
  readonly onAnswer?: () => void;
  /** Called for each event; may close the connection. Throwing ends it with that error. */
  readonly onEvent: (event: ClientEvent) => void;
  /** Asked before each read: what to wait for first. */
  readonly pauseReading?: () => Promise<void> | undefined;
  /** There is media left to write, not urgent. */
  readonly onMoreLater?: () => void;
}

/** One RTMP connection that we made to another server. */
export class UpstreamConnection {
  readonly #options: UpstreamOptions;
  readonly session: ClientSession;
  #duplex: ByteDuplex | undefined;
  #writer: ConnectionWriter | undefined;
  #closeReason: RtmpError | undefined;
  #isClosed = false;
  /** The other server has ended the connection, in good order and without a word: so SRS refuses what it was asked for. */
  wasClosedByPeer = false;
  /** When the last byte came, by the clock. */
  lastReceivedMs: number;
  #answerTimer: Timer | undefined;
  #pingedMs: number | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.lastReceivedMs = options.clock.now();
    this.session = new ClientSession(options.session, Math.floor(options.clock.now() / 1000));
  }

  /** The other server, for logs. */
  get name(): string {
    return hostAndPort(this.#options.address.hostname, this.#options.address.port);
  }

  /** When the write under way was begun, by the clock; undefined while none is. */
  get writingSinceMs(): number | undefined {
    return this.#writer?.writingSinceMs;
  }

  /**
   * Connects, speaks, and ends when either side closes.
   *
   * @throws {RtmpError} What ended it; nothing when `close` was called without a reason.
   */
  async run(): Promise<void> {
    const { dial, address, connectTimeoutMs, clock } = this.#options;
    let duplex: ByteDuplex;
    try {
      duplex = await dial(address, connectTimeoutMs);
    } catch (error) {
      throw new RtmpError("unreachable", errorText(error), { cause: error });
    }
    if (this.#isClosed) {
      duplex.close();
      return this.#end();
    }
    this.#duplex = duplex;
    this.lastReceivedMs = clock.now();
    this.#writer = new ConnectionWriter({
      write: (bytes) => duplex.write(bytes),
      onError: (error) =>
        this.close(new RtmpError("connection-lost", `Cannot write to ${this.name}: ${errorText(error)}`)),
      onMoreLater: () => this.#options.onMoreLater?.(),
      now: () => clock.now(),
    });
    this.#answerTimer = clock.setTimer(() => {
      this.close(new RtmpError("unreachable", `${this.name} did not answer within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    try {
      this.#flushOutput();
      await pumpBytes(duplex, {
        receive: (bytes) => this.#receive(bytes),
        pause: () => this.#options.pauseReading?.(),
      });
    } catch (error) {
      if (!this.#isClosed) {
        if (error instanceof RtmpError) throw error;
        throw new RtmpError("connection-lost", `Connection to ${this.name} lost: ${errorText(error)}`, {
          cause: error,
        });
      }
    } finally {
      this.#cut();
    }
    if (!this.#isClosed) {
      this.wasClosedByPeer = true;
      throw new RtmpError("connection-lost", `${this.name} closed the connection`);
    }
    this.#end();
  }

  /** Media to send: a cursor of the stream that is pushed. */
  addSource(source: MediaSource): void {
    this.#writer?.addSource(source);
    this.#writer?.flush();
  }

  removeSource(source: MediaSource): void {
    this.#writer?.removeSource(source);
  }

  /** Begins a write if there is something to send. */
  flush(): void {
    this.#writer?.flush();
  }

  /**
   * Asks a silent server for a sign of life, and ends the connection to one that has given such signs and no longer does: a process
   * that hangs keeps its connections. Call it a few times a second.
   *
   * @param patienceMs How long an answer may take.
   */
  checkAlive(patienceMs: number): void {
    if (this.#isClosed || !this.session.isConnected) return;
    const nowMs = this.#options.clock.now();
    const pingedMs = this.#pingedMs;
    if (pingedMs === undefined || this.lastReceivedMs >= pingedMs) {
      if (pingedMs !== undefined && nowMs - this.lastReceivedMs < PING_AFTER_MS) return;
      this.#pingedMs = nowMs;
      this.session.ping(nowMs);
      this.#flushOutput();
    } else if (this.session.answersPings && nowMs - pingedMs > patienceMs) {
      this.close(new RtmpError("unreachable", `${this.name} did not answer a ping within ${patienceMs} ms`));
    }
  }

  /** Ends the connection; `run` then throws the reason, or returns without one. */
  close(reason?: RtmpError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeReason = reason;
    this.session.finish();
    this.#flushOutput();
    // A goodbye that does not go out at once is not worth waiting for.
    queueMicrotask(() => this.#cut());
  }

  #end(): void {
    if (this.#closeReason !== undefined) throw this.#closeReason;
  }

  #clearAnswerTimer(): void {
    if (this.#answerTimer !== undefined) this.#options.clock.clearTimer(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  #cut(): void {
    this.#clearAnswerTimer();
    this.#writer?.close();
    this.#duplex?.close();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.lastReceivedMs = this.#options.clock.now();
    if (this.#answerTimer !== undefined) {
      this.#clearAnswerTimer();
      this.#options.onAnswer?.();
    }
    this.session.receive(bytes);
    try {
      for (let event = this.session.nextEvent(); event !== undefined; event = this.session.nextEvent()) {
        this.#options.onEvent(event);
        if (this.#isClosed) return;
      }
    } finally {
      this.#flushOutput();
    }
  }

  #flushOutput(): void {
    const output = this.session.takeOutput();
    if (output !== undefined) this.#writer?.send(output);
  }
}
