import type { Clock, Timer } from "../base/clock.ts";
import { SearchPace } from "../cluster/search_pace.ts";
import type { StreamPull } from "../cluster/stream_pull.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamHub } from "../hub/stream_hub.ts";

interface Keeper {
  readonly pull: StreamPull;
  readonly stream: LiveStream;
  users: number;
  timer: Timer | undefined;
  readonly onFeed: () => void;
}

/** One pull per stream however many players: opened by the first, closed a little after the last has left. */
export class StreamKeepers {
  /** Searches after the first, of pulls that have ended. */
  closedRetries = 0;
  /** For all pulls of this node. */
  readonly pace: SearchPace = new SearchPace(Math.random);
  readonly #keepers = new Map<string, Keeper>();
  readonly #hub: StreamHub;
  readonly #clock: Clock;

  constructor(hub: StreamHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  /** A stream has been published somewhere: its pull, if it has one, looks at once. */
  wake(key: string): void {
    this.#keepers.get(key)?.pull.wake();
  }

  /** Pulls now, by stream key. */
  *pulls(): Iterable<readonly [key: string, pull: StreamPull]> {
    for (const [key, { pull }] of this.#keepers) yield [key, pull];
  }

  /**
   * Uses a stream's pull, made by `open` for the first user.
   *
   * @param lingerMs How long it stays after its last user, in milliseconds.
   */
  acquire(
    stream: LiveStream,
    lingerMs: number,
    open: () => StreamPull,
  ): { readonly pull: StreamPull; readonly release: () => void } {
    let keeper = this.#keepers.get(stream.key);
    if (keeper === undefined) {
      const pull = open();
      keeper = { pull, stream, users: 0, timer: undefined, onFeed: () => pull.wake() };
      stream.keepers++;
      stream.feedListeners.add(keeper.onFeed);
      this.#keepers.set(stream.key, keeper);
    }
    const { pull } = keeper;
    keeper.users++;
    if (keeper.timer !== undefined) this.#clock.clearTimer(keeper.timer);
    keeper.timer = undefined;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      // Closed by `close` while its players were still here.
      if (this.#keepers.get(stream.key) !== keeper) return;
      if (--keeper.users > 0) return;
      if (lingerMs === 0) this.#close(keeper);
      else keeper.timer = this.#clock.setTimer(() => this.#close(keeper), lingerMs);
    };
    return { pull, release };
  }

  /** Ends all pulls. */
  close(): void {
    for (const keeper of [...this.#keepers.values()]) this.#close(keeper);
  }

  #close(keeper: Keeper): void {
    if (keeper.timer !== undefined) this.#clock.clearTimer(keeper.timer);
    this.#keepers.delete(keeper.stream.key);
    keeper.stream.feedListeners.delete(keeper.onFeed);
    keeper.stream.keepers--;
    keeper.pull.close();
    this.closedRetries += keeper.pull.retries;
    this.#hub.release(keeper.stream);
  }
}
