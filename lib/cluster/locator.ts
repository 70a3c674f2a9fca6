import type { Clock } from "../base/clock.ts";
import { DEFAULT_VHOST, streamKey } from "../base/stream_address.ts";
import { unlessAborted } from "../base/unless_aborted.ts";
import type { Coworker } from "./coworker.ts";
import type { StreamOrigin, StreamQuery } from "./stream_query.ts";

/** A coworker that owns a stream, by its own word. */
export interface StreamLocation {
  readonly kind: "at";
  /** The coworker's name. */
  readonly coworker: string;
  /** Where it takes RTMP; without brackets. */
  readonly ip: string;
  readonly port: number;
  /** Where the coworker answered, without brackets: what it gives as its own address may mean nothing here. */
  readonly answeredAt: string;
  /** The vhost to ask it for. */
  readonly vhost: string;
  /** It relays, follows redirects and refuses loops; false for SRS. */
  readonly isHeadwater: boolean;
  /** It is about to stop: nobody should be sent there, but it serves other nodes. */
  readonly isDraining: boolean;
  readonly nodeId?: string;
}

/** What the cluster says of a stream. */
export type Location = { readonly kind: "mine" } | StreamLocation | { readonly kind: "nowhere" };

export interface LocatorOptions {
  readonly clock: Clock;
  /** The coworkers of a vhost that are worth asking. */
  readonly coworkers: (vhost: string) => Promise<readonly Coworker[]>;
  readonly queryTimeoutMs: (vhost: string) => number;
}

const NOWHERE: Location = { kind: "nowhere" };
/**
 * How long "nowhere" is believed without asking again, in milliseconds. However many players want a stream that nobody has, each
 * coworker is asked four times a second; and a player that comes just after its encoder loses less than the encoder's first group of
 * pictures takes. When the loop hears of the stream, it is forgotten at once.
 */
const NOWHERE_MS = 250;
const MAX_NOWHERE = 100_000;
/** Part of the time that the owner that the loop knows has for itself, before the others are asked too. */
const HINT_SHARE = 0.1;

/** A search that is under way. */
interface Search {
  /** Undefined when it was overtaken. */
  readonly result: Promise<Location | undefined>;
  /** Ends the wait for it: who owns the stream has changed meanwhile. */
  readonly overtake: () => void;
}

/** Finds out which coworker owns a stream: all are asked at once, the first that owns it wins. */
export class Locator {
  readonly #options: LocatorOptions;
  readonly #searches = new Map<string, Search>();
  /** Keys that nobody owned, in the order in which that is to be forgotten. */
  readonly #nowhere = new Map<string, number>();

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /**
   * Where a stream is among the coworkers, within `query_timeout_ms`. One search a stream at a time, which all that ask share.
   *
   * @returns Undefined when there is news of the stream (`hear`): it may be here now, or at a coworker that has denied it a moment ago,
   * while one that hangs is still waited for. Ask again.
   * @throws {unknown} `signal`'s reason when it is aborted; the search goes on for the others.
   */
  async locate(query: StreamQuery, signal?: AbortSignal): Promise<Location | undefined> {
    signal?.throwIfAborted();
    const key = streamKey(query.vhost, query.app, query.stream);
    if (this.#isKnownNowhere(key)) return NOWHERE;
    const search = this.#searches.get(key) ?? this.#begin(query, key);
    return await unlessAborted(search.result, signal);
  }

  /** Somebody owns a stream from now on, this node or a coworker: that nobody did is forgotten, and no search waits for the rest. */
  hear(key: string): void {
    this.#nowhere.delete(key);
    this.#searches.get(key)?.overtake();
  }

  #begin(query: StreamQuery, key: string): Search {
    const { promise: overtaken, resolve } = Promise.withResolvers<undefined>();
    const result = Promise.race([this.#search(query, key), overtaken]).then((location) => {
      // What coworkers denied before there was news is not worth remembering.
      if (location === NOWHERE) this.#rememberNowhere(key);
      return location;
    }).finally(() => end());
    const search: Search = {
      result,
      overtake: () => {
        end();
        resolve(undefined);
      },
    };
    const end = () => {
      if (this.#searches.get(key) === search) this.#searches.delete(key);
    };
    this.#searches.set(key, search);
    return search;
  }

  /** Asks every coworker whether it owns a stream, without a look at what is remembered. */
  async findOwner(query: StreamQuery): Promise<{ coworker: Coworker; origin: StreamOrigin } | undefined> {
    const { coworkers, queryTimeoutMs, clock } = this.#options;
    const candidates = await coworkers(query.vhost);
    return await askAll(candidates, undefined, query, queryTimeoutMs(query.vhost), clock);
  }

  async #search(query: StreamQuery, key: string): Promise<Location> {
    const { coworkers, queryTimeoutMs, clock } = this.#options;
    const candidates = await coworkers(query.vhost);
    const hinted = candidates.find((coworker) => coworker.isUp === true && coworker.streams.has(key));
    const found = await askAll(candidates, hinted, query, queryTimeoutMs(query.vhost), clock);
    if (found === undefined) return NOWHERE;
    const { coworker, origin } = found;
    const nodeId = coworker.node?.nodeId;
    return {
      kind: "at",
      coworker: coworker.name,
      ip: origin.ip,
      port: origin.port,
      answeredAt: coworker.address.host,
      // A coworker may have it under another vhost (ossrs/srs #1680); one that names the default one takes ours as that.
      vhost: origin.vhost === "" || origin.vhost === DEFAULT_VHOST ? query.vhost : origin.vhost,
      isHeadwater: coworker.kind === "headwater",
      isDraining: coworker.isDraining,
      ...(nodeId === undefined ? {} : { nodeId }),
    };
  }

  #isKnownNowhere(key: string): boolean {
    const untilMs = this.#nowhere.get(key);
    return untilMs !== undefined && this.#options.clock.now() < untilMs;
  }

  #rememberNowhere(key: string): void {
    const nowMs = this.#options.clock.now();
    for (const [old, untilMs] of this.#nowhere) {
      if (untilMs > nowMs && this.#nowhere.size < MAX_NOWHERE) break;
      this.#nowhere.delete(old);
    }
    this.#nowhere.delete(key);
    this.#nowhere.set(key, nowMs + NOWHERE_MS);
  }
}

/**
 * Asks coworkers at once and takes the first that owns the stream. One that is thought to own it is asked alone first; when it denies,
 * fails or takes long, the others are asked too.
 */
async function askAll(
  coworkers: readonly Coworker[],
  hinted: Coworker | undefined,
  query: StreamQuery,
  timeoutMs: number,
  clock: Clock,
): Promise<{ coworker: Coworker; origin: StreamOrigin } | undefined> {
  const won = new AbortController();
  const endMs = clock.now() + timeoutMs;
  const ask = async (coworker: Coworker): Promise<{ coworker: Coworker; origin: StreamOrigin }> => {
    const origin = await coworker.findStream(query, Math.max(1, endMs - clock.now()), won.signal);
    if (origin === null) throw new Error("not the owner");
    return { coworker, origin };
  };
  const answers: Promise<{ coworker: Coworker; origin: StreamOrigin }>[] = [];
  if (hinted !== undefined) {
    answers.push(ask(hinted));
    const first = await firstOf(answers, timeoutMs * HINT_SHARE, clock);
    if (first !== undefined) return first;
  }
  for (const coworker of coworkers) if (coworker !== hinted) answers.push(ask(coworker));
  try {
    return await Promise.any(answers);
  } catch {
    // Each said no, or failed, which it has noted itself.
    return undefined;
  } finally {
    won.abort(new Error("another coworker owns the stream"));
  }
}

/** The first that fulfils within a time; undefined when all have failed, or none is there yet. */
async function firstOf<T>(
  promises: readonly Promise<T>[],
  timeoutMs: number,
  clock: Clock,
): Promise<T | undefined> {
  let timer;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([Promise.any(promises).catch(() => undefined), late]);
  } finally {
    if (timer !== undefined) clock.clearTimer(timer);
  }
}
