import type { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { Client } from "./client.ts";

/** One stream that a client publishes or plays. */
export interface Activity {
  readonly kind: "publish" | "play";
  readonly stream: LiveStream;
  /** By the node's clock. */
  readonly startedMs: number;
  /** Times that a player was too slow and was moved to the newest key frame. */
  readonly jumps: number;
}

/** How a client ended. */
export interface ClientEnd {
  /** It asked to publish or play. */
  readonly hasAsked: boolean;
  /** And was let in at least once. */
  readonly hasBegun: boolean;
  /** Absent: the peer closed. */
  readonly reason: RtmpError | undefined;
  /** How long it was here, in milliseconds. */
  readonly durationMs: number;
}

/** What wants to know of clients: the books, the log, hooks. */
export interface ClientListener {
  /** One has come, and has said nothing yet. */
  opened?(client: Client): void;
  /**
   * It was let in, and is told so.
   *
   * @param isFirst It had begun nothing before.
   */
  began?(client: Client, activity: Activity, isFirst: boolean): void;
  /** What it began is over, whichever way. */
  stopped?(client: Client, activity: Activity): void;
  /** It is gone; all that it had begun has stopped before. Its figures are the last. */
  closed?(client: Client, end: ClientEnd): void;
}

/** The life of every client, whatever it speaks, told once and in order. */
export class ClientEvents {
  readonly #listeners: ClientListener[];
  readonly #begun = new Set<Client>();

  /** @param listeners Told in this order. */
  constructor(...listeners: ClientListener[]) {
    this.#listeners = listeners;
  }

  /** Tells one more, after the others, of what happens from now on. */
  listen(listener: ClientListener): void {
    this.#listeners.push(listener);
  }

  opened(client: Client): void {
    for (const listener of this.#listeners) listener.opened?.(client);
  }

  began(client: Client, activity: Activity): void {
    const isFirst = !this.#begun.has(client);
    this.#begun.add(client);
    for (const listener of this.#listeners) listener.began?.(client, activity, isFirst);
  }

  stopped(client: Client, activity: Activity): void {
    for (const listener of this.#listeners) listener.stopped?.(client, activity);
  }

  closed(client: Client, end: Omit<ClientEnd, "hasBegun">): void {
    const hasBegun = this.#begun.delete(client);
    for (const listener of this.#listeners) listener.closed?.(client, { ...end, hasBegun });
  }
}
