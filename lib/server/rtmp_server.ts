import type { Timer } from "../base/clock.ts";
import { inBackground } from "../base/background.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { ConnectionLimits } from "../net/connection_limits.ts";
import { type EnteredConnection, Entrance } from "../net/entrance.ts";
import type { ConnectionListener } from "../net/tcp.ts";
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
  readonly #entrance: Entrance;
  readonly #listeners: ConnectionListener[] = [];
  #reportTimer: Timer | undefined;
  #refused = 0;
  #failedAccepts = 0;
  #acceptError: unknown;

  /** @param entrance That of all connections of the process; absent: those of this server are all. */
  constructor(runtime: ServerRuntime, entrance?: Entrance) {
    const { clock, limits } = runtime.options;
    this.runtime = runtime;
    this.clients = new ClientRegistry(clock);
    this.#entrance = entrance ?? new Entrance({ clock, limits: new ConnectionLimits(limits) });
  }

  /** Whether new connections are taken. */
  get isAccepting(): boolean {
    return this.#listeners.length > 0;
  }

  /** Serves who connects, until `stop`, which closes the listener. */
  serve(listener: ConnectionListener): void {
    this.#listeners.push(listener);
    this.clients.start();
    inBackground(this.#accept(listener), "accepting connections");
  }

  /** No new connections; all clients are told and ended. Resolves when they are gone or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.length = 0;
    this.#entrance.close();
    await this.clients.stop(timeoutMs);
    this.#report();
    this.runtime.streams.close();
  }

  async #accept(listener: ConnectionListener): Promise<void> {
    const onError = (error: unknown) => {
      this.#failedAccepts++;
      this.#acceptError = error;
      this.#reportSoon();
    };
    for await (const duplex of listener.connections(onError)) {
      try {
        const entered = this.#entrance.enter(duplex);
        if (!(entered instanceof Promise)) this.#begin(entered);
        else {
          inBackground(
            entered.then((entered) => entered && this.#begin(entered), (error) => this.#refuse(error)),
            "connection",
          );
        }
      } catch (error) {
        if (error instanceof RtmpError) this.#refuse(error);
        // A fault that one connection runs into must not keep the next out.
        else reportError(error);
      }
      if (duplex.isSecure) await this.#entrance.roomForTls();
    }
  }

  /** @throws {unknown} What is no refusal. */
  #refuse(error: unknown): void {
    if (!(error instanceof RtmpError)) throw error;
    this.runtime.countError(error.code);
    this.#refused++;
    this.#reportSoon();
  }

  /** Serves a connection until it is gone. */
  #begin({ duplex, release }: EnteredConnection): void {
    try {
      const connection = new RtmpConnection(this.runtime, duplex);
      const remove = this.clients.add(connection);
      const run = connection.run().finally(() => {
        remove();
        release();
      });
      inBackground(run, "connection");
    } catch (error) {
      duplex.close();
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
