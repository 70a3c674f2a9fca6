import { RtmpError } from "../base/errors.ts";
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
  readonly #listeners: TcpListener[] = [];
  readonly #connections = new Map<string, RtmpConnection>();
  readonly #perIp = new Map<string, number>();
  /** Players that are not RTMP connections, such as HTTP-FLV ones. */
  readonly #otherClients = new Map<string, TickedClient>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #refused = 0;
  #isStopping = false;

  constructor(runtime: ServerRuntime) {
    this.runtime = runtime;
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
    this.#accept(listener);
  }

  /**
   * Counts a client that came another way, such as an HTTP-FLV player.
   *
   * @returns Ends the counting.
   * @throws {RtmpError} `too-many-connections` or `shutting-down`.
   */
  admit(client: TickedClient): () => void {
    if (this.#isStopping) throw new RtmpError("shutting-down", "Cannot play: the server is stopping");
    this.#checkLimits(client.ip);
    this.#otherClients.set(client.id, client);
    this.#count(client.ip, 1);
    return () => {
      if (this.#otherClients.delete(client.id)) this.#count(client.ip, -1);
    };
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
    const onError = (error: unknown) => this.runtime.log.warn("Cannot accept a connection", { error });
    for await (const duplex of listener.connections(onError)) {
      try {
        this.#checkLimits(duplex.remoteAddress.hostname);
      } catch (error) {
        this.#refuse(duplex, error as RtmpError);
        continue;
      }
      this.#serveConnection(duplex);
    }
  }

  async #serveConnection(duplex: ByteDuplex): Promise<void> {
    const connection = new RtmpConnection(this.runtime, duplex);
    this.#connections.set(connection.id, connection);
    this.#count(connection.ip, 1);
    try {
      await connection.run();
    } finally {
      this.#connections.delete(connection.id);
      this.#count(connection.ip, -1);
    }
  }

  #checkLimits(ip: string): void {
    const { maxConnections, maxConnectionsPerIp } = this.runtime.options.limits();
    if (this.connectionCount >= maxConnections) {
      throw new RtmpError(
        "too-many-connections",
        `Cannot accept connection: ${this.connectionCount} are open, limit is ${maxConnections}`,
      );
    }
    const fromIp = this.#perIp.get(ip) ?? 0;
    if (maxConnectionsPerIp > 0 && fromIp >= maxConnectionsPerIp) {
      throw new RtmpError(
        "too-many-connections",
        `Cannot accept connection: ${fromIp} from ${ip} are open, limit per address is ${maxConnectionsPerIp}`,
      );
    }
  }

  #refuse(duplex: ByteDuplex, error: RtmpError): void {
    duplex.close();
    this.runtime.countError(error.code);
    this.#refused++;
  }

  #count(ip: string, change: number): void {
    const count = (this.#perIp.get(ip) ?? 0) + change;
    if (count > 0) this.#perIp.set(ip, count);
    else this.#perIp.delete(ip);
  }

  #tick(): void {
    const nowMs = this.runtime.now();
    for (const connection of [...this.#connections.values()]) connection.tick(nowMs);
    for (const client of [...this.#otherClients.values()]) {
      client.tick(nowMs);
      client.sendRate.sample(client.sendBytes, nowMs);
      client.receiveRate.sample(client.receiveBytes, nowMs);
    }
    if (this.#refused > 0) {
      // One line for all, so that a flood of connections is not a flood of lines.
      this.runtime.log.warn("Connections refused: too many are open", { count: this.#refused });
      this.#refused = 0;
    }
  }
}
