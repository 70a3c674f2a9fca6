import type { Clock, Timer } from "../base/clock.ts";
import { RtmpError } from "../base/errors.ts";
import type { Client } from "./client.ts";

/** How often clients are looked at for what time does to them, in milliseconds. */
const TICK_MS = 500;

/** A client that the registry lets time pass for. */
export interface RegisteredClient extends Client {
  /** Whether it publishes or plays, or has asked to: lists show it. */
  readonly isActive: boolean;
  /** Whether its end is in the books. */
  readonly isClosing: boolean;
  /** Called about twice a second, with monotonic milliseconds. */
  tick(nowMs: number): void;
  /** Ends it because the server stops. */
  shutDown(): void;
}

/** Every client of the server from its coming to its end, whatever it speaks: RTMP connections, HTTP-FLV players and what else comes. */
export class ClientRegistry {
  readonly #clock: Clock;
  readonly #clients = new Map<string, RegisteredClient>();
  #timer: Timer | undefined;
  #isStopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All clients, whatever they do. */
  get size(): number {
    return this.#clients.size;
  }

  /**
   * Takes in a client whose connection has been counted.
   *
   * @returns Ends it; may be called again.
   * @throws {RtmpError} `shutting-down`.
   */
  add(client: RegisteredClient): () => void {
    if (this.#isStopping) throw new RtmpError("shutting-down", "Cannot connect: the server is stopping");
    this.#clients.set(client.id, client);
    return () => {
      this.#clients.delete(client.id);
      if (this.#clients.size === 0) this.#onEmpty?.();
    };
  }

  find(id: string): Client | undefined {
    return this.#clients.get(id);
  }

  /** Those who publish or play. */
  *active(): Iterable<Client> {
    for (const client of this.#clients.values()) if (client.isActive) yield client;
  }

  /** Everyone whose end is not in the books yet, whatever they do. */
  *open(): Iterable<Client> {
    for (const client of this.#clients.values()) if (!client.isClosing) yield client;
  }

  /** Lets time pass for all, until `stop`. */
  start(): void {
    if (this.#timer === undefined) this.#tickLater();
  }

  /** Lets nobody in any more, and ends all. Resolves when they are gone, or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    for (const client of [...this.#clients.values()]) client.shutDown();
    if (this.#clients.size > 0) {
      const gone = Promise.withResolvers<void>();
      this.#onEmpty = gone.resolve;
      const timer = this.#clock.setTimer(gone.resolve, timeoutMs);
      await gone.promise;
      this.#clock.clearTimer(timer);
    }
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #tickLater(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#tickLater();
      this.#tick();
    }, TICK_MS);
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    for (const client of [...this.#clients.values()]) {
      client.tick(nowMs);
      client.sendRate.sample(client.sendBytes, nowMs);
      client.receiveRate.sample(client.receiveBytes, nowMs);
    }
  }
}
