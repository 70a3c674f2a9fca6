import { DEFAULT_CHUNK_SIZE } from "../wire/limits.ts";
import { getLogger } from "@logtape/logtape";
import type { UpstreamTraffic } from "../base/upstream_traffic.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { ConnectionWriter, type MediaSource } from "../net/connection_writer.ts";
import { pumpBytes } from "../net/pump.ts";
import { type ByteDuplex, type DialAddress, isConnectionLoss } from "../net/tcp.ts";
import { upstreamName } from "./upstream_target.ts";
import {
  type ClientEvent,
  ClientSession,
  type ClientSessionOptions,
  refusalError,
} from "../session/client_session.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

const log = getLogger(["headwater", "cluster", "upstream"]);

/** After so long without a byte the other server is asked for a sign of life, in milliseconds. */
const PING_AFTER_MS = 500;
/** How often a connection's times are looked at, in milliseconds. */
const LOOK_INTERVAL_MS = 250;

/** Opens a TCP connection within a time; rejects with the reason. */
export type Dial = (address: DialAddress, timeoutMs: number) => Promise<ByteDuplex>;

/** What a session tells another server of whom it speaks for, and its limits. */
export type UpstreamSession = Pick<
  ClientSessionOptions,
  "pageUrl" | "swfUrl" | "argumentsObject" | "vouch" | "limits" | "randomBytes" | "manner" | "isEnhanced"
>;

/** Where to, how, and as whom. */
export interface UpstreamEndpoint {
  readonly target: UpstreamTarget;
  readonly dial: Dial;
  readonly clock: Clock;
  /** What it receives and sends is added here. */
  readonly traffic: UpstreamTraffic;
  readonly session: UpstreamSession;
  /** How long TCP may take, and then the first byte, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** What a session tells, but for what ends every connection alike: a refusal, and a redirect. */
export type UpstreamEvent = Exclude<ClientEvent, { readonly kind: "refused" | "redirect" }>;

export interface UpstreamOptions extends UpstreamEndpoint {
  readonly purpose: ClientSessionOptions["purpose"];
  /** Towards the other server, in bytes; default 60,000. */
  readonly chunkSize?: number;
  /** The other server has sent its first byte. */
  readonly onAnswer?: () => void;
  /** Called for each event; may close the connection. Throwing ends it with that error. */
  readonly onEvent: (event: UpstreamEvent) => void;
  /** Called a few times a second while it runs, from the dialling on. Throwing ends it with that error. */
  readonly onLook?: () => void;
  /** Asked before each read: what to wait for first. */
  readonly pauseReading?: () => Promise<void> | undefined;
  /** There is media left to write, not urgent. */
  readonly onMoreLater?: () => void;
}

/** One RTMP connection that we made to another server, whatever for: `UpstreamPlay` and `UpstreamPublish` give it its purpose. */
export class UpstreamConnection {
  readonly #options: UpstreamOptions;
  readonly session: ClientSession;
  #address: DialAddress;
  #duplex: ByteDuplex | undefined;
  #writer: ConnectionWriter | undefined;
  #closeReason: unknown;
  #isClosed = false;
  /** The other server has ended the connection, in good order and without a word: so SRS refuses what it was asked for. */
  wasClosedByPeer = false;
  /** Where the other server has sent us on, which has ended the connection. */
  redirectUrl: string | undefined;
  /** When the last byte came, by the clock. */
  lastReceivedMs: number;
  #answerTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  #pingedMs: number | undefined;
  /** Sent bytes that the traffic has. */
  #countedBytes = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { target, purpose, session, clock, chunkSize = DEFAULT_CHUNK_SIZE } = options;
    const { address, tcUrl, app, streamName } = target;
    this.#address = address;
    this.lastReceivedMs = clock.now();
    this.session = new ClientSession(
      { ...session, purpose, tcUrl, app, streamName, chunkSize },
      Math.floor(clock.now() / 1000),
    );
  }

  /** The other server, for logs. */
  get name(): string {
    return upstreamName(this.#address);
  }

  /** When the write under way was begun, by the clock; undefined while none is. */
  get writingSinceMs(): number | undefined {
    return this.#writer?.writingSinceMs;
  }

  /**
   * Connects, speaks, and ends when either side closes.
   *
   * @returns What ended it; nothing when `close` was called without a reason.
   */
  async run(): Promise<RtmpError | undefined> {
    this.#awaitLook();
    try {
      await this.#run();
      return undefined;
    } catch (error) {
      if (error instanceof RtmpError) return error;
      log.error("Connection to another server failed: internal error", { to: this.name, error });
      return new RtmpError("connection-lost", String(error), { cause: error });
    } finally {
      if (this.#lookTimer !== undefined) this.#options.clock.clearTimer(this.#lookTimer);
    }
  }

  async #run(): Promise<void> {
    const { connectTimeoutMs, clock } = this.#options;
    const duplex = await this.#dial();
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
        if (error instanceof RtmpError || !isConnectionLoss(error)) throw error;
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

  async #dial(): Promise<ByteDuplex> {
    const { dial, target: { address, fallback }, connectTimeoutMs } = this.#options;
    try {
      return await dial(address, connectTimeoutMs).catch((error) => {
        if (fallback === undefined || this.#isClosed) throw error;
        this.#address = fallback;
        return dial(fallback, connectTimeoutMs);
      });
    } catch (error) {
      throw new RtmpError("unreachable", errorText(error), { cause: error });
    }
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
    this.countSent();
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
    this.#close(reason);
  }

  /** Whether nothing is being written and none of our words wait. */
  get isIdle(): boolean {
    return this.#isClosed || (this.#writer?.isIdle ?? true);
  }

  /** Says that what was published is over; to be closed when that is out. */
  sayGoodbye(): void {
    if (this.#isClosed || !this.session.hasAsked) return;
    this.session.finish();
    this.#flushOutput();
  }

  /** Ends the connection without the words that say that what was published is over: it will go on with another connection. */
  breakOff(): void {
    this.#close(undefined, false);
  }

  #close(reason: unknown, saysGoodbye = true): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeReason = reason;
    if (saysGoodbye) this.session.finish();
    this.#flushOutput();
    // A goodbye that does not go out at once is not worth waiting for.
    queueMicrotask(() => this.#cut());
  }

  #end(): void {
    if (this.#closeReason !== undefined) throw this.#closeReason;
  }

  #awaitLook(): void {
    const { clock, onLook } = this.#options;
    if (onLook === undefined) return;
    this.#lookTimer = clock.setTimer(() => {
      this.#awaitLook();
      try {
        onLook();
      } catch (error) {
        this.#close(error);
      }
    }, LOOK_INTERVAL_MS);
  }

  #clearAnswerTimer(): void {
    if (this.#answerTimer !== undefined) this.#options.clock.clearTimer(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  /** Adds to the traffic what has been sent since the last time. */
  countSent(): void {
    const sentBytes = this.#writer?.sentBytes ?? 0;
    this.#options.traffic.sentBytes += sentBytes - this.#countedBytes;
    this.#countedBytes = sentBytes;
  }

  #cut(): void {
    this.#clearAnswerTimer();
    this.countSent();
    this.#writer?.close();
    this.#duplex?.close();
  }

  #receive(bytes: Uint8Array): void {
    this.#options.traffic.receivedBytes += bytes.length;
    if (this.#isClosed) return;
    this.lastReceivedMs = this.#options.clock.now();
    if (this.#answerTimer !== undefined) {
      this.#clearAnswerTimer();
      this.#options.onAnswer?.();
    }
    this.session.receive(bytes);
    try {
      for (let event = this.session.nextEvent(); event !== undefined; event = this.session.nextEvent()) {
        this.#handle(event);
        if (this.#isClosed) return;
      }
    } finally {
      this.#flushOutput();
    }
  }

  #handle(event: ClientEvent): void {
    switch (event.kind) {
      case "redirect":
        this.redirectUrl = event.url;
        return this.close();
      case "refused":
        return this.close(refusalError(event.code, event.description));
      default:
        return this.#options.onEvent(event);
    }
  }

  #flushOutput(): void {
    const output = this.session.takeOutput();
    if (output !== undefined) this.#writer?.send(output);
  }
}
