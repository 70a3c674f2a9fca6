import { inBackground } from "../base/background.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { CoworkerAddress } from "../base/host_port.ts";
import { CoworkerBusy, type CoworkerClient } from "./coworker_client.ts";
import type { NodeIdentity, NodeLoad, NodeState, RtmpEndpoint } from "./node_state.ts";
import { KnownStreams } from "./known_streams.ts";
import type { StreamOrigin, StreamQuery } from "./stream_query.ts";

/** What a coworker turned out to be. */
export type CoworkerKind =
  /** Not asked yet. */
  | "unknown"
  | "headwater"
  /** SRS, or a discovery service in its manner: asked only when a play needs it. */
  | "srs"
  /** This very node, listed among its coworkers. */
  | "self";

export interface CoworkerOptions {
  readonly client: CoworkerClient;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** From 0 to 1, so that nodes don't poll in step. */
  readonly random: () => number;
  /** This node, to recognise it. */
  readonly identity: NodeIdentity;
  readonly secret: string;
  /** How often `beat` is called. */
  readonly pollIntervalMs: () => number;
  readonly queryTimeoutMs: () => number;
  /**
   * Something about the coworker changed.
   *
   * @param added Keys of streams that it owns and may not have owned before.
   */
  readonly onChange: (coworker: Coworker, added: Iterable<string>) => void;
  /** It was reached, for the first time or again, or is lost. */
  readonly onUpOrDown: (coworker: Coworker) => void;
}

/** Pause before a coworker that is down is asked again: doubled each time up to a limit, in milliseconds. */
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 3000;
/** Pause between two looks at what need not be polled: is SRS alive, is this address still this node, in milliseconds. */
const SLOW_POLL_MS = 10_000;
/** Every so many turns the load is asked for, even where no stream changed. */
const LOAD_REFRESH_TURNS = 10;
/** Part of a pause that is random. */
const JITTER = 0.2;

const NO_STREAMS: ReadonlyMap<string, number> = new Map();

/** One address of a coworker: asks for its state again and again, one request at a time, and keeps what it said last. */
export class Coworker {
  /** As it is named in the configuration, or `address:port` where a name stands for several. */
  name: string;
  /** Where it is asked. */
  address: CoworkerAddress;
  readonly #options: CoworkerOptions;
  #kind: CoworkerKind = "unknown";
  #isUp: boolean | undefined;
  #upSinceMs: number | undefined;
  #downSinceMs: number | undefined;
  #lastError: string | undefined;
  #roundTripMs: number | undefined;
  #node: NodeState | undefined;
  #streams: KnownStreams | undefined;
  #timer: Timer | undefined;
  #polling: Promise<void> | undefined;
  readonly #stopped = new AbortController();
  #failures = 0;
  #turns = 0;

  constructor(name: string, address: CoworkerAddress, options: CoworkerOptions) {
    this.name = name;
    this.address = address;
    this.#options = options;
  }

  get kind(): CoworkerKind {
    return this.#kind;
  }

  /** Undefined until it was asked for the first time. */
  get isUp(): boolean | undefined {
    return this.#isUp;
  }

  /** Milliseconds since 1970; undefined while it is not up. */
  get upSinceMs(): number | undefined {
    return this.#upSinceMs;
  }

  /** Milliseconds since 1970; undefined while it is up. */
  get downSinceMs(): number | undefined {
    return this.#downSinceMs;
  }

  /** Why it was down last; kept when it is up again. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Of the last answer, in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** The node behind this address; undefined for SRS and before the first answer. */
  get node(): (NodeIdentity & { readonly rtmp: RtmpEndpoint; readonly load: NodeLoad }) | undefined {
    return this.#node;
  }

  /** Whether it takes no new clients, since it is about to stop. */
  get isDraining(): boolean {
    return this.#node?.isDraining ?? false;
  }

  /** Whether it has asked the publisher of this stream to go on at another node. */
  lets(key: string): boolean {
    return this.#node?.moving.has(key) ?? false;
  }

  /** What it owned when it was heard of last: stream keys with their publish times. */
  get streams(): ReadonlyMap<string, number> {
    return this.#streams?.all ?? NO_STREAMS;
  }

  /** Begins to poll. */
  start(): void {
    // Spread a little: after a reload, and when a whole cluster is started at once.
    this.#schedule(this.#options.random() * Math.min(50, this.#options.pollIntervalMs() / 2));
  }

  stop(): void {
    this.#stopped.abort(new Error("it is no longer a coworker"));
    this.#clearTimer();
  }

  /** A turn of the loop. What is down, or need not be polled, is asked when its own pause is over. */
  beat(): void {
    if (this.#followsBeat) this.#pollSoon();
  }

  /** Asks for what it owns now: an answer that is under way may be older. Resolves when it is there, or that there is none. */
  async refresh(): Promise<void> {
    await this.#polling;
    await this.#poll();
  }

  #pollSoon(): void {
    inBackground(this.#poll(), "polling a coworker");
  }

  #poll(): Promise<void> {
    if (this.#stopped.signal.aborted) return Promise.resolve();
    this.#clearTimer();
    this.#polling ??= this.#ask().finally(() => {
      this.#polling = undefined;
      this.#schedule(this.#pauseMs());
    });
    return this.#polling;
  }

  async #ask(): Promise<void> {
    const { client, clock, secret, queryTimeoutMs } = this.#options;
    const startMs = clock.now();
    try {
      this.#turns += 1;
      const answer = await client.nodeState(
        this.address,
        secret,
        queryTimeoutMs(),
        this.#stopped.signal,
        this.#node,
        this.#turns % LOAD_REFRESH_TURNS !== 0,
      );
      if (this.#stopped.signal.aborted) return;
      this.#roundTripMs = clock.now() - startMs;
      if (answer.kind === "srs") this.#becomeSrs();
      else this.#update(answer.kind === "state" ? answer.state : undefined);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Asks whether it owns a stream. A failure marks it down.
   *
   * @throws {Error} When it can't be reached or is too late, or `signal` is aborted.
   */
  async findStream(query: StreamQuery, timeoutMs: number, signal: AbortSignal): Promise<StreamOrigin | null> {
    const { client, secret } = this.#options;
    const either = AbortSignal.any([signal, this.#stopped.signal]);
    try {
      return await client.findStream(this.address, this.name, secret, query, timeoutMs, either);
    } catch (error) {
      if (!either.aborted && !(error instanceof CoworkerBusy)) {
        this.#fail(error);
        if (this.#polling === undefined) this.#schedule(this.#pauseMs());
      }
      throw error;
    }
  }

  #update(state: NodeState | undefined): void {
    const { identity } = this.#options;
    if (state === undefined) {
      // After a break both sides may own what neither has changed since.
      if (this.#comeUp(this.#kind)) this.#options.onChange(this, this.streams.keys());
      return;
    }
    const isSelf = state.nodeId === identity.nodeId && state.bootId === identity.bootId;
    if (!state.isFull && state.bootId !== this.#node?.bootId) {
      throw new Error("it sent changes to a state that this node does not have");
    }
    const hasNewStreams = state.isFull || state.revision !== this.#node?.revision;
    this.#node = { ...state, added: NO_STREAMS, removed: [] };
    if (isSelf) {
      this.#streams = undefined;
    } else {
      if (state.isFull) this.#streams = undefined;
      this.#streams ??= new KnownStreams();
      this.#change(this.#streams, state);
    }
    const cameUp = this.#comeUp(isSelf ? "self" : "headwater");
    if (cameUp || hasNewStreams) {
      this.#options.onChange(this, cameUp ? this.streams.keys() : isSelf ? [] : state.added.keys());
    }
  }

  /** Takes over what changed; where that is too much, all has to be told anew. */
  #change(streams: KnownStreams, { added, removed }: NodeState): void {
    try {
      streams.change(added, removed);
    } catch (error) {
      this.#streams = undefined;
      this.#node = undefined;
      throw error;
    }
  }

  #becomeSrs(): void {
    this.#node = undefined;
    this.#streams = undefined;
    if (this.#comeUp("srs")) this.#options.onChange(this, []);
  }

  /** Notes that it answered; true when it was down, or something else until now. */
  #comeUp(kind: CoworkerKind): boolean {
    const isNews = this.#isUp !== true || this.#kind !== kind;
    this.#kind = kind;
    if (this.#isUp !== true) this.#upSinceMs = this.#options.wallNow();
    this.#isUp = true;
    this.#downSinceMs = undefined;
    this.#failures = 0;
    if (isNews && kind !== "self") this.#options.onUpOrDown(this);
    return isNews;
  }

  #fail(error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    const wasDown = this.#isUp === false;
    const before = this.#lastError;
    this.#isUp = false;
    this.#upSinceMs = undefined;
    this.#downSinceMs ??= this.#options.wallNow();
    this.#lastError = failureText(error);
    this.#failures += 1;
    if (!wasDown) this.#options.onUpOrDown(this);
    if (!wasDown || before !== this.#lastError) this.#options.onChange(this, []);
  }

  get #followsBeat(): boolean {
    return this.#isUp === true && this.#kind === "headwater";
  }

  #pauseMs(): number {
    if (this.#isUp === false) {
      return Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10), MAX_RETRY_MS);
    }
    return Math.max(this.#options.pollIntervalMs(), SLOW_POLL_MS);
  }

  #schedule(delayMs: number): void {
    this.#clearTimer();
    if (this.#stopped.signal.aborted || this.#followsBeat) return;
    const { clock, random } = this.#options;
    this.#timer = clock.setTimer(() => {
      this.#timer = undefined;
      this.#pollSoon();
    }, withJitter(delayMs, random()));
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * A pause of about `delayMs`, so that nodes don't ask in step.
 *
 * @param random From 0 to 1.
 */
export function withJitter(delayMs: number, random: number): number {
  return delayMs * (1 - JITTER / 2 + JITTER * random);
}

/** Why a request failed: `fetch` hides it in the cause, behind the URL. */
export function failureText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return errorText(cause).replace(/^error sending request for url \(\S+\): /, "");
}
