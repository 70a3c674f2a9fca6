import type { Clock, Timer } from "../base/clock.ts";
import { SearchPace } from "../upstream/search_pace.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import type { StreamPull } from "../upstream/stream_pull.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { FeedInfo } from "../hub/stream_feed.ts";
import type { StreamHub } from "../hub/stream_hub.ts";

interface Keeper {
  readonly pull: StreamPull;
  readonly stream: LiveStream;
  users: number;
  timer: Timer | undefined;
  readonly onFeed: (feed: FeedInfo | undefined) => void;
}

/** A stream that is pulled, until `release`. */
export interface UsedPull {
  readonly pull: StreamPull;
  readonly stream: LiveStream;
  readonly release: () => void;
}

/** One pull per stream however many players: opened by the first, closed a little after the last has left. */
export class SharedPulls {
  /** Searches after the first, of pulls that have ended. */
  closedRetries = 0;
  /** For all pulls of this node. */
  readonly pace: SearchPace;
  readonly #keepers = new Map<string, Keeper>();
  /** Of the pulls that there are. */
  readonly #marks = new Set<string>();
  readonly #hub: StreamHub;
  readonly #clock: Clock;

  /** @param random From 0 to 1. */
  constructor(hub: StreamHub, clock: Clock, random: () => number) {
    this.pace = new SearchPace(random);
    this.#hub = hub;
    this.#clock = clock;
  }

  /** A stream has been published somewhere: its pull, if it has one, looks at once. */
  wake(key: string): void {
    this.#keepers.get(key)?.pull.wake();
  }

  /** There is one more place to look for streams: pulls that look for theirs look soon. */
  hurry(): void {
    for (const { pull } of this.#keepers.values()) pull.hurry();
  }

  /** Pulls now, by stream key. */
  *pulls(): Iterable<readonly [key: string, pull: StreamPull]> {
    for (const [key, { pull }] of this.#keepers) yield [key, pull];
  }

  /** Whether a request has passed a pull of this node: what it asks for would come from itself. */
  isLoop(route: readonly string[]): boolean {
    return route.some((mark) => this.#marks.has(mark));
  }

  /**
   * Uses a stream's pull, made by `open` for the first user.
   *
   * @param lingerMs How long it stays after its last user, in milliseconds.
   * @param asker The user, as origins are told of it.
   */
  acquire(
    stream: LiveStream,
    lingerMs: number,
    asker: PullAsker,
    open: () => StreamPull,
  ): UsedPull {
    let keeper = this.#keepers.get(stream.key);
    if (keeper === undefined) {
      const pull = open();
      keeper = { pull, stream, users: 0, timer: undefined, onFeed: wakeAfterPublisher(pull, stream) };
      this.#marks.add(pull.mark);
      stream.keepers++;
      stream.feedListeners.add(keeper.onFeed);
      this.#keepers.set(stream.key, keeper);
    }
    const { pull } = keeper;
    keeper.users++;
    const forget = pull.add(asker);
    if (keeper.timer !== undefined) this.#clock.clearTimer(keeper.timer);
    keeper.timer = undefined;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      forget();
      // Closed by `close` while its players were still here.
      if (this.#keepers.get(stream.key) !== keeper) return;
      if (--keeper.users > 0) return;
      if (lingerMs === 0) this.#close(keeper);
      else keeper.timer = this.#clock.setTimer(() => this.#close(keeper), lingerMs);
    };
    return { pull, stream, release };
  }

  /** Ends all pulls. */
  close(): void {
    for (const keeper of [...this.#keepers.values()]) this.#close(keeper);
  }

  #close(keeper: Keeper): void {
    if (keeper.timer !== undefined) this.#clock.clearTimer(keeper.timer);
    this.#keepers.delete(keeper.stream.key);
    this.#marks.delete(keeper.pull.mark);
    keeper.stream.feedListeners.delete(keeper.onFeed);
    keeper.stream.keepers--;
    keeper.pull.close();
    this.closedRetries += keeper.pull.retries;
    this.#hub.release(keeper.stream);
  }
}

/** Lets a pull look as soon as an encoder that fed its stream here has left. */
function wakeAfterPublisher(pull: StreamPull, stream: LiveStream): (feed: FeedInfo | undefined) => void {
  let last = stream.feed?.kind;
  return (feed) => {
    if (last === "publish" && feed === undefined) pull.wake();
    last = feed?.kind;
  };
}
