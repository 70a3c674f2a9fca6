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
  readonly isPublishing: boolean;
  /** Asks it to go on at another node, since the server stops; false when it would not, or there is none. */
  move(): boolean;
  /** Ends it because the server stops. */
  shutDown(): void;
}

/** Every client of the server from its coming to its end, whatever it speaks: RTMP connections, HTTP-FLV players and what else comes. */
export class ClientRegistry {
  readonly #clock: Clock;
  readonly #clients = new Map<string, RegisteredClient>();
  #timer: Timer | undefined;
  #isStopping = false;
  #onRemoved: (() => void) | undefined;

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
      this.#onRemoved?.();
    };
  }

  find(id: string): Client | undefined {
    return this.#clients.get(id);
  }

  /** Those who publish or play. */
  *active(): Iterable<RegisteredClient> {
    for (const client of this.#clients.values()) if (client.isActive) yield client;
  }

  /** Everyone whose end is not in the books yet, whatever they do. */
  *open(): Iterable<RegisteredClient> {
    for (const client of this.#clients.values()) if (!client.isClosing) yield client;
  }

  /** Lets time pass for all, until `stop`. */
  start(): void {
    if (this.#timer === undefined) this.#tickLater();
  }

  /**
   * Lets nobody in any more, and ends all; those who can go on at another node are asked to, and have half of the time for it. Resolves
   * when all are gone, or after `timeoutMs`.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    const moving = [...this.#clients.values()].filter((client) => {
      const isMoving = timeoutMs > 0 && client.move();
      if (!isMoving) client.shutDown();
      return isMoving;
    });
    if (moving.length > 0) {
      await this.#whenGone(timeoutMs / 2, () => moving.every(({ id }) => !this.#clients.has(id)));
      for (const client of [...this.#clients.values()]) client.shutDown();
    }
    await this.#whenGone(moving.length > 0 ? timeoutMs / 2 : timeoutMs, () => this.#clients.size === 0);
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #whenGone(timeoutMs: number, isGone: () => boolean): Promise<void> {
    if (isGone()) return;
    const gone = Promise.withResolvers<void>();
    this.#onRemoved = () => {
      if (isGone()) gone.resolve();
    };
    const timer = this.#clock.setTimer(gone.resolve, timeoutMs);
    await gone.promise;
    this.#clock.clearTimer(timer);
    this.#onRemoved = undefined;
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
