import { inBackground } from "../base/background.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { ConnectionLimits } from "../net/connection_limits.ts";
import type { ByteDuplex, TcpListener } from "../net/tcp.ts";
import type { Client } from "./client.ts";
import { RtmpConnection } from "./rtmp_connection.ts";
import type { ServerRuntime } from "./server_runtime.ts";

/** How often connections are looked at for what time does to them, in milliseconds. */
const TICK_MS = 500;

/** A client that the server lets time pass for. */
export interface TickedClient extends Client {
  /** Called about twice a second, with monotonic milliseconds. */
  tick(nowMs: number): void;
  /** Ends it because the server stops. */
  shutDown(): void;
}

/** Accepts RTMP connections and keeps account of them. */
export class RtmpServer {
  readonly runtime: ServerRuntime;
  readonly #limits: ConnectionLimits;
  readonly #listeners: TcpListener[] = [];
  readonly #connections = new Map<string, RtmpConnection>();
  /** Players that are not RTMP connections, such as HTTP-FLV ones. */
  readonly #otherClients = new Map<string, TickedClient>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #refused = 0;
  #failedAccepts = 0;
  #acceptError: unknown;
  #isStopping = false;

  /** @param limits The account of all connections of the process; absent: those of this server are all. */
  constructor(
    runtime: ServerRuntime,
    limits: ConnectionLimits = new ConnectionLimits(() => runtime.options.limits()),
  ) {
    this.runtime = runtime;
    this.#limits = limits;
  }

  /** All connections, whatever they do. */
  get connections(): Iterable<RtmpConnection> {
    return this.#connections.values();
  }

  /** Connections and other clients that publish or play. */
  *clients(): Iterable<Client> {
    for (const connection of this.#connections.values()) {
      if (connection.stream !== undefined) yield connection;
    }
    yield* this.#otherClients.values();
  }

  /** Everyone whose end is not in the books yet, whatever they do. */
  *open(): Iterable<Client> {
    for (const connection of this.#connections.values()) {
      if (!connection.isClosing) yield connection;
    }
    yield* this.#otherClients.values();
  }

  client(id: string): Client | undefined {
    return this.#connections.get(id) ?? this.#otherClients.get(id);
  }

  get connectionCount(): number {
    return this.#connections.size + this.#otherClients.size;
  }

  /** Whether new connections are taken. */
  get isAccepting(): boolean {
    return this.#listeners.length > 0 && !this.#isStopping;
  }

  /** Serves who connects, until `stop`, which closes the listener. */
  serve(listener: TcpListener): void {
    this.#listeners.push(listener);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    inBackground(this.#accept(listener), "accepting of connections");
  }

  /**
   * Lists a client that came another way, such as an HTTP-FLV player, whose connection is counted already.
   *
   * @returns Ends the listing.
   * @throws {RtmpError} `shutting-down`.
   */
  admit(client: TickedClient): () => void {
    if (this.#isStopping) throw new RtmpError("shutting-down", "Cannot play: the server is stopping");
    this.#otherClients.set(client.id, client);
    return () => this.#otherClients.delete(client.id);
  }

  /** No new connections; those there are told and ended. Resolves when they are gone or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    for (const listener of this.#listeners) listener.close();
    this.#listeners.length = 0;
    for (const client of [...this.#otherClients.values()]) client.shutDown();
    for (const connection of [...this.#connections.values()]) connection.shutDown();
    const deadline = performance.now() + timeoutMs;
    while (this.#connections.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.runtime.close();
  }

  async #accept(listener: TcpListener): Promise<void> {
    const onError = (error: unknown) => {
      this.#failedAccepts++;
      this.#acceptError = error;
    };
    for await (const duplex of listener.connections(onError)) {
      try {
        const release = this.#limits.admit(duplex.remoteAddress.hostname);
        inBackground(this.#serveConnection(duplex, release), "connection");
      } catch (error) {
        duplex.close();
        if (!(error instanceof RtmpError)) {
          // A fault that one connection runs into must not keep the next out.
          reportError(error);
          continue;
        }
        this.runtime.countError(error.code);
        this.#refused++;
      }
    }
  }

  async #serveConnection(duplex: ByteDuplex, release: () => void): Promise<void> {
    const connection = new RtmpConnection(this.runtime, duplex);
    this.#connections.set(connection.id, connection);
    try {
      await connection.run();
    } finally {
      this.#connections.delete(connection.id);
      release();
    }
  }

  #tick(): void {
    const nowMs = this.runtime.now();
    for (const connection of [...this.#connections.values()]) connection.tick(nowMs);
    for (const client of [...this.#otherClients.values()]) {
      client.tick(nowMs);
      client.sendRate.sample(client.sendBytes, nowMs);
      client.receiveRate.sample(client.receiveBytes, nowMs);
    }
    // One line for all, so that a flood of connections is not a flood of lines.
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
