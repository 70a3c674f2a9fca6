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
  /** The search that was under way when it came, which does not speak for it. */
  readonly since: number;
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
  /** By what they say of themselves, those who came first first. */
  readonly #waiters = new Map<string, Set<Waiter>>();
  #searches = 0;
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

  /** Begins a search; who it speaks for: one that waits for it, else one that none has spoken for, else each in turn. */
  begin(): PullAsker {
    this.#searches++;
    for (const [waiter] of this.#waiters.values()) if (waiter !== undefined) return waiter.asker;
    for (const keys of [this.#untried, this.#groups.keys()]) {
      for (const key of keys) return this.#groups.get(key)?.asker ?? this.#last;
    }
    return this.#last;
  }

  /**
   * Waits for the stream.
   *
   * @returns What resolves when a search finds it, and rejects with the failure of one that spoke for this client, or for nobody in
   * particular; and what ends the wait.
   */
  wait(asker: PullAsker): { found: Promise<void>; leave: () => void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const key = keyOf(asker);
    const waiter: Waiter = { asker, since: this.#searches, resolve, reject };
    const same = this.#waiters.get(key) ?? new Set();
    same.add(waiter);
    this.#waiters.set(key, same);
    return { found: promise, leave: () => this.#drop(key, waiter) };
  }

  /** The search found the stream. */
  found(): void {
    for (const same of this.#waiters.values()) for (const { resolve } of same) resolve();
    this.#waiters.clear();
  }

  /** The search, which spoke for `asker`, failed. Who came after it had begun waits for the next. */
  failed(asker: PullAsker, failure: RtmpError): void {
    const key = keyOf(asker);
    const group = this.#groups.get(key);
    this.#untried.delete(key);
    if (group !== undefined) {
      this.#groups.delete(key);
      this.#groups.set(key, group);
    }
    for (const concerned of concernsAll(failure) ? [...this.#waiters.keys()] : [key]) {
      for (const waiter of this.#waiters.get(concerned) ?? []) {
        if (waiter.since === this.#searches) continue;
        this.#drop(concerned, waiter);
        waiter.reject(failure);
      }
    }
  }

  /** Nobody is searched for any more. */
  close(reason: RtmpError): void {
    for (const same of this.#waiters.values()) for (const { reject } of same) reject(reason);
    this.#waiters.clear();
  }

  #drop(key: string, waiter: Waiter): void {
    const same = this.#waiters.get(key);
    if (same?.delete(waiter) === true && same.size === 0) this.#waiters.delete(key);
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
