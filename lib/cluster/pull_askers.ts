import { RtmpError } from "../base/errors.ts";

/** A client that a stream is pulled for, with what it says of itself: an origin may let it in or not by that. */
export interface PullAsker {
  /** With a leading `?`, or empty; without the vhost. Hold tokens: never logged. */
  readonly parameters: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  /** The marks of the pulls that wait for this client, which is a node then. */
  readonly route: readonly string[];
}

/** Marks that a pull hands on, its own included. */
export const MAX_ROUTE = 64;

/** Askers who say the same of themselves. */
interface Group {
  readonly asker: PullAsker;
  count: number;
}

interface Waiter {
  readonly asker: PullAsker;
  readonly resolve: () => void;
  readonly reject: (reason: RtmpError) => void;
}

/**
 * Those whom one pull is for. Each search of the pull speaks for one of them, and what an origin answers is an answer to that one: when
 * it is refused, the next search speaks for another, so that a client whom the origins don't let in keeps nobody out.
 */
export class PullAskers {
  /** In the order in which they are to be spoken for: those that failed last are last. */
  readonly #groups = new Map<string, Group>();
  /** Those of the groups that no search has spoken for yet. */
  readonly #untried = new Set<string>();
  readonly #routes = new Set<PullAsker>();
  readonly #waiters = new Set<Waiter>();
  /** Kept when the last one has left: a pull lingers. */
  #last: PullAsker;

  constructor(first: PullAsker) {
    this.#last = first;
  }

  /** Whether somebody waits to hear what a search for it finds. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /**
   * Adds a client.
   *
   * @returns Whether nobody else says of itself what this one does; and what ends it.
   */
  add(asker: PullAsker): { isNew: boolean; remove: () => void } {
    const key = keyOf(asker);
    const known = this.#groups.get(key);
    const group = known ?? { asker, count: 0 };
    group.count++;
    if (known === undefined) {
      this.#groups.set(key, group);
      this.#untried.add(key);
    }
    if (asker.route.length > 0) this.#routes.add(asker);
    return {
      isNew: known === undefined,
      remove: () => {
        this.#routes.delete(asker);
        if (--group.count > 0) return;
        this.#groups.delete(key);
        this.#untried.delete(key);
        this.#last = asker;
      },
    };
  }

  /** Whom the next search speaks for: one that waits for it, else one that none has spoken for, else each in turn. */
  next(): PullAsker {
    const [waiter] = this.#waiters;
    if (waiter !== undefined) return waiter.asker;
    for (const keys of [this.#untried, this.#groups.keys()]) {
      for (const key of keys) return this.#groups.get(key)?.asker ?? this.#last;
    }
    return this.#last;
  }

  /** Resolves when a search finds the stream; rejects with the failure of one that spoke for this client, or for nobody in particular. */
  whenFound(asker: PullAsker): { found: Promise<void>; leave: () => void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { asker, resolve, reject };
    this.#waiters.add(waiter);
    return { found: promise, leave: () => this.#waiters.delete(waiter) };
  }

  /** Those who wait now, for `failed`: who comes later waits for the next search. */
  waiting(): readonly unknown[] {
    return [...this.#waiters];
  }

  /** A search found the stream. */
  found(): void {
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters.clear();
  }

  /**
   * A search that spoke for `asker` failed.
   *
   * @param waiting Who waited when it began.
   */
  failed(asker: PullAsker, failure: RtmpError, waiting: readonly unknown[] = this.waiting()): void {
    const key = keyOf(asker);
    const group = this.#groups.get(key);
    this.#untried.delete(key);
    if (group !== undefined) {
      this.#groups.delete(key);
      this.#groups.set(key, group);
    }
    for (const waiter of waiting as readonly Waiter[]) {
      if (!this.#waiters.has(waiter)) continue;
      if (!concernsAll(failure) && waiter.asker !== asker && keyOf(waiter.asker) !== key) continue;
      this.#waiters.delete(waiter);
      waiter.reject(failure);
    }
  }

  /** Nobody is searched for any more. */
  close(reason: RtmpError): void {
    for (const { reject } of this.#waiters) reject(reason);
    this.#waiters.clear();
  }

  /** The marks to hand on: the pull's own, then those of the askers, some of each before more of any. */
  route(own: string): string[] {
    const route = new Set([own]);
    for (let depth = 0; depth < MAX_ROUTE; depth++) {
      let hasMore = false;
      for (const { route: marks } of this.#routes) {
        if (route.size >= MAX_ROUTE) return [...route];
        const mark = marks[depth];
        if (mark === undefined) continue;
        hasMore = true;
        route.add(mark);
      }
      if (!hasMore) break;
    }
    return [...route];
  }
}

function keyOf({ parameters, pageUrl, swfUrl }: PullAsker): string {
  return `${parameters}\n${pageUrl}\n${swfUrl}`;
}

/** Whether a failure would be the same for whomever had been spoken for. SRS refuses by closing, so that a lost connection may be a refusal. */
function concernsAll({ code }: RtmpError): boolean {
  return code === "stream-not-found" || code === "unreachable" || code === "no-origin" ||
    code === "relay-loop";
}

/** The failure of a pull that was closed. */
export function closedPull(): RtmpError {
  return new RtmpError("stream-not-found", "The pull was closed");
}
