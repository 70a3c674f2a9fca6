import type { Timer } from "../base/clock.ts";
import { inBackground } from "../base/background.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { ConnectionLimits } from "../net/connection_limits.ts";
import type { ByteDuplex, TcpListener } from "../net/tcp.ts";
import { ClientRegistry } from "./client_registry.ts";
import { RtmpConnection } from "./rtmp_connection.ts";
import type { ServerRuntime } from "./server_runtime.ts";

/** How often it is said that connections were refused, in milliseconds. */
const REPORT_MS = 500;

/** Accepts RTMP connections. */
export class RtmpServer {
  readonly runtime: ServerRuntime;
  /** All clients of the process, also those that came another way. */
  readonly clients: ClientRegistry;
  readonly #limits: ConnectionLimits;
  readonly #listeners: TcpListener[] = [];
  #reportTimer: Timer | undefined;
  #refused = 0;
  #failedAccepts = 0;
  #acceptError: unknown;

  /** @param limits The account of all connections of the process; absent: those of this server are all. */
  constructor(
    runtime: ServerRuntime,
    limits: ConnectionLimits = new ConnectionLimits(() => runtime.options.limits()),
  ) {
    this.runtime = runtime;
    this.clients = new ClientRegistry(runtime.options.clock);
    this.#limits = limits;
  }

  /** Whether new connections are taken. */
  get isAccepting(): boolean {
    return this.#listeners.length > 0;
  }

  /** Serves who connects, until `stop`, which closes the listener. */
  serve(listener: TcpListener): void {
    this.#listeners.push(listener);
    this.clients.start();
    inBackground(this.#accept(listener), "accepting connections");
  }

  /** No new connections; all clients are told and ended. Resolves when they are gone or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.length = 0;
    await this.clients.stop(timeoutMs);
    this.#report();
    this.runtime.streams.close();
  }

  async #accept(listener: TcpListener): Promise<void> {
    const onError = (error: unknown) => {
      this.#failedAccepts++;
      this.#acceptError = error;
      this.#reportSoon();
    };
    for await (const duplex of listener.connections(onError)) {
      try {
        inBackground(this.#begin(duplex), "connection");
      } catch (error) {
        duplex.close();
        if (!(error instanceof RtmpError)) {
          // A fault that one connection runs into must not keep the next out.
          reportError(error);
          continue;
        }
        this.runtime.countError(error.code);
        this.#refused++;
        this.#reportSoon();
      }
    }
  }

  /**
   * Begins to serve a connection; resolves when it is gone.
   *
   * @throws {RtmpError} At once, when it is not let in.
   */
  #begin(duplex: ByteDuplex): Promise<void> {
    const release = this.#limits.admit(duplex.remoteAddress.hostname);
    try {
      const connection = new RtmpConnection(this.runtime, duplex);
      const remove = this.clients.add(connection);
      return connection.run().finally(() => {
        remove();
        release();
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One line for all, so that a flood of connections is not a flood of lines. */
  #reportSoon(): void {
    this.#reportTimer ??= this.runtime.options.clock.setTimer(() => this.#report(), REPORT_MS);
  }

  #report(): void {
    if (this.#reportTimer !== undefined) this.runtime.options.clock.clearTimer(this.#reportTimer);
    this.#reportTimer = undefined;
    if (this.#refused > 0) {
      this.runtime.log.warn("Connections refused: too many are open", { count: this.#refused });
      this.#refused = 0;
    }
    if (this.#failedAccepts > 0) {
      this.runtime.log.warn("Cannot accept connections", {
        count: this.#failedAccepts,
        reason: errorText(this.#acceptError),
      });
      this.#failedAccepts = 0;
    }
  }
}
