import type { Clock } from "../base/clock.ts";
import type { Logger } from "@logtape/logtape";
import type { ClientRegistry } from "./client_registry.ts";

/** How far a drain has come. */
export type DrainState =
  /** The server takes clients. */
  | "off"
  /** `/readyz` says no, so that balancers send new clients elsewhere; who comes is still let in. */
  | "announced"
  /** Nobody new is let in; those who can have been asked to go to another node. */
  | "draining"
  /** The grace is over: who is left is ended, a few at a time. */
  | "closing"
  /** Nobody is left. */
  | "drained";

/** How a drain goes, all times in milliseconds. */
export interface DrainTimes {
  /** How long new clients are let in after `/readyz` says no. */
  readonly startWaitMs: number;
  /** How long clients may stay after that. */
  readonly graceMs: number;
}

/** What is known of a drain. */
export interface DrainReport {
  readonly state: DrainState;
  /** Milliseconds since 1970; absent while there is none. */
  readonly startedAtMs?: number;
  /** When who is left is ended, milliseconds since 1970. */
  readonly graceEndsAtMs?: number;
  /** Clients that were asked to go to another node. */
  readonly movedPublishers: number;
  readonly movedPlayers: number;
  /** Clients that were ended after the grace. */
  readonly closedPublishers: number;
  readonly closedPlayers: number;
  /** Those who publish or play now. */
  readonly publishers: number;
  readonly players: number;
}

export interface DrainOptions {
  readonly clients: ClientRegistry;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly log: Logger;
  /** Lets nobody in any more, or everybody again. */
  readonly onDraining: (isDraining: boolean) => void;
}

/** How often it is looked whether clients are gone, in milliseconds. */
const LOOK_MS = 100;
/** Who is left is ended in so many batches, so that they do not all come to the next server at once. */
const BATCHES = 10;
const BATCH_PAUSE_MS = 200;
/** How long connections may take to end, in milliseconds. */
const LAST_WORDS_MS = 2000;

const NONE = { movedPublishers: 0, movedPlayers: 0, closedPublishers: 0, closedPlayers: 0 };

/** Takes a server out of service without hurting more clients than it must; can be taken back until it ends them. */
export class Drain {
  readonly #options: DrainOptions;
  #state: DrainState = "off";
  #startedAtMs = 0;
  #times: DrainTimes = { startWaitMs: 0, graceMs: 0 };
  #counts = { ...NONE };
  #abort: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  get state(): DrainState {
    return this.#state;
  }

  get report(): DrainReport {
    let publishers = 0;
    let players = 0;
    for (const client of this.#options.clients.active()) {
      if (client.isPublishing) publishers++;
      else players++;
    }
    const { startWaitMs, graceMs } = this.#times;
    return {
      state: this.#state,
      ...(this.#state === "off" ? {} : {
        startedAtMs: this.#startedAtMs,
        graceEndsAtMs: this.#startedAtMs + startWaitMs + graceMs,
      }),
      ...this.#counts,
      publishers,
      players,
    };
  }

  /** Begins, unless it has begun; resolves when nobody is left, or it was taken back. */
  begin(times: DrainTimes): Promise<void> {
    if (this.#state !== "off") return this.#running;
    this.#state = "announced";
    this.#startedAtMs = this.#options.wallNow();
    this.#times = times;
    this.#counts = { ...NONE };
    this.#abort = new AbortController();
    this.#running = this.#run(this.#abort.signal);
    return this.#running;
  }

  /** Takes clients again. Who has been sent away stays away. */
  cancel(): void {
    if (this.#state === "off") return;
    this.#abort?.abort();
    this.#state = "off";
    this.#options.onDraining(false);
    this.#options.log.info("Drain cancelled: the server takes clients again");
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clients, clock, log, onDraining } = this.#options;
    const { startWaitMs, graceMs } = this.#times;
    log.info("Drain started: /readyz says 503", { startWaitMs, graceMs });
    await this.#pause(startWaitMs, signal);
    if (signal.aborted) return;
    this.#state = "draining";
    onDraining(true);
    for (const client of [...clients.active()]) {
      const { isPublishing } = client;
      if (!client.move()) continue;
      if (isPublishing) this.#counts.movedPublishers++;
      else this.#counts.movedPlayers++;
    }
    const { publishers, players, movedPublishers, movedPlayers } = this.report;
    log.info("Draining: no new clients; those who can follow were sent to another node", {
      publishers,
      players,
      movedPublishers,
      movedPlayers,
    });
    const endMs = clock.now() + graceMs;
    while (!signal.aborted && this.#hasActive && clock.now() < endMs) {
      await this.#pause(Math.min(LOOK_MS, endMs - clock.now()), signal);
    }
    if (signal.aborted) return;
    this.#state = "closing";
    await this.#close(signal);
    if (signal.aborted) return;
    this.#state = "drained";
    const { closedPublishers, closedPlayers } = this.#counts;
    log.info("Drained", { movedPublishers, movedPlayers, closedPublishers, closedPlayers });
  }

  get #hasActive(): boolean {
    for (const _ of this.#options.clients.active()) return true;
    return false;
  }

  /** Ends who is left: encoders first, so that their streams are elsewhere when the players come. */
  async #close(signal: AbortSignal): Promise<void> {
    const { clients, clock, log } = this.#options;
    const left = [...clients.open()].sort((a, b) => Number(b.isPublishing) - Number(a.isPublishing));
    if (left.length > 0) log.info("Draining: closing the connections that are left", { count: left.length });
    const size = Math.max(1, Math.ceil(left.length / BATCHES));
    for (let begin = 0; begin < left.length; begin += size) {
      if (begin > 0) await this.#pause(BATCH_PAUSE_MS, signal);
      if (signal.aborted) return;
      for (const client of left.slice(begin, begin + size)) {
        if (client.isClosing) continue;
        if (client.isPublishing) this.#counts.closedPublishers++;
        else if (client.isActive) this.#counts.closedPlayers++;
        client.shutDown();
      }
    }
    const endMs = clock.now() + LAST_WORDS_MS;
    while (!signal.aborted && clients.size > 0 && clock.now() < endMs) await this.#pause(LOOK_MS, signal);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort);
    const timer = this.#options.clock.setTimer(resolve, ms);
    await promise;
    this.#options.clock.clearTimer(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
