import { inBackground } from "../../base/background.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { errorText, RtmpError } from "../../base/errors.ts";
import type { EnteredConnection, Entrance } from "../../net/entrance.ts";
import type { ByteDuplex, ConnectionListener, SocketAddress } from "../../net/tcp.ts";
import { HttpError } from "./http_error.ts";
import { HttpConnection, type HttpConnectionContext } from "./http_connection.ts";
import type { HttpHandler } from "./http_handler.ts";

/** How often connections are looked at for what time does to them, in milliseconds. */
const TICK_MS = 500;
/** How long answers may take to finish once the server closes, in milliseconds. */
const FINISH_MS = 1000;
/** How many connections too many are read far enough to be told so, at a time; others are closed without a word. */
const TURNED_AWAY = 16;
/** Longest request line and headers, in bytes. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Answers that clients have not taken yet, all together, in bytes. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;

export interface HttpServerOptions {
  readonly clock: Clock;
  /** That of all connections of the process. */
  readonly entrance: Entrance;
  readonly limits: () => { readonly maxBodyBytes: number; readonly sendTimeoutMs: number };
  /** A trusted proxy's headers name different clients; told once. */
  readonly onContradiction?: (peer: SocketAddress) => void;
  /** A client that speaks TLS where plain HTTP is spoken. */
  readonly onTlsClient?: (peer: SocketAddress, local: SocketAddress) => void;
  /** A fault of this program, in answering a request. */
  readonly onFault: (error: unknown) => void;
  /** Connections that were not let in since the last call, and why the last was not; at most twice a second. */
  readonly onRefused: (count: number, reason: string) => void;
}

/** Serves HTTP/1.1 and WebSockets on any number of ports. Every connection is counted, bounded in time, and can be cut. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #context: HttpConnectionContext;
  readonly #open = new Set<HttpConnection>();
  readonly #listeners: ConnectionListener[] = [];
  #timer: Timer | undefined;
  #isContradicted = false;
  #refused = 0;
  #refusal = "";
  #onEmpty: (() => void) | undefined;

  constructor(options: HttpServerOptions) {
    const { clock, limits, onFault, onTlsClient } = options;
    this.#options = options;
    this.#context = {
      clock,
      onFault,
      isTrustedProxy: (ip) => options.entrance.isTrustedProxy(ip),
      onContradiction: (peer) => {
        if (!this.#isContradicted) options.onContradiction?.(peer);
        this.#isContradicted = true;
      },
      ...(onTlsClient === undefined ? {} : { onTlsClient }),
      limits: () => ({ maxHeadBytes: MAX_HEAD_BYTES, ...limits() }),
      backlog: { bytes: 0, maxBytes: MAX_BACKLOG_BYTES },
    };
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Serves who connects, until `close`, which closes the listener.
   *
   * @param reserved How many connections may be open here when no others are let in any more: those of the operator.
   */
  async serve(listener: ConnectionListener, handler: HttpHandler, reserved: number = 0): Promise<void> {
    this.#listeners.push(listener);
    if (this.#timer === undefined) this.#tickLater();
    for await (const duplex of listener.connections((error) => this.#note(errorText(error)))) {
      try {
        this.accept(duplex, handler, reserved);
      } catch (error) {
        // A fault that one connection runs into must not keep the next out.
        duplex.close();
        this.#options.onFault(error);
      }
      if (duplex.isSecure) await this.#options.entrance.roomForTls();
    }
  }

  /** Serves one connection if there is room for it; a few more are told that there is none. */
  accept(duplex: ByteDuplex, handler: HttpHandler, reserved: number = 0): void {
    const note = (error: unknown) => {
      if (!(error instanceof RtmpError)) throw error;
      this.#note(error.message);
    };
    try {
      const entered = this.#options.entrance.enter(duplex, { reserved, turnedAway: TURNED_AWAY });
      if (!(entered instanceof Promise)) return this.#begin(entered, handler);
      inBackground(
        entered.then((entered) => entered && this.#begin(entered, handler), note),
        "HTTP connection",
      );
    } catch (error) {
      note(error);
    }
  }

  #begin({ duplex, release, moveTo, refusal }: EnteredConnection, handler: HttpHandler): void {
    if (refusal !== undefined) this.#note(refusal.message);
    const answer = refusal === undefined ? handler : refuse(refusal);
    const connection = new HttpConnection(this.#context, answer, duplex, moveTo);
    this.#open.add(connection);
    const run = connection.run().finally(() => {
      this.#open.delete(connection);
      release();
      if (this.#open.size === 0) this.#onEmpty?.();
    });
    inBackground(run, "HTTP connection");
  }

  /** Lets time pass; called about twice a second where the server listens. */
  tick(): void {
    const nowMs = this.#options.clock.now();
    for (const connection of [...this.#open]) connection.tick(nowMs);
    if (this.#refused === 0) return;
    this.#options.onRefused(this.#refused, this.#refusal);
    this.#refused = 0;
  }

  /** Takes no more connections and requests, and waits a moment for the answers under way. */
  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#options.entrance.close();
    for (const connection of [...this.#open]) connection.shutDown();
    if (this.#open.size > 0) {
      const { clock } = this.#options;
      const finished = Promise.withResolvers<void>();
      this.#onEmpty = finished.resolve;
      const timer = clock.setTimer(finished.resolve, FINISH_MS);
      await finished.promise;
      clock.clearTimer(timer);
    }
    for (const connection of [...this.#open]) connection.cut();
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
  }

  #tickLater(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      this.#tickLater();
      this.tick();
    }, TICK_MS);
  }

  #note(reason: string): void {
    this.#refused++;
    this.#refusal = reason;
  }
}

/** Answers every request with the reason why it can't be served. */
function refuse(error: RtmpError): HttpHandler {
  return () => Promise.reject(new HttpError(error.httpStatus, error.message));
}
