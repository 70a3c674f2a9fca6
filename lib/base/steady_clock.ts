import type { Clock, Timer } from "./clock.ts";

/** How often time is looked at, in milliseconds. */
const BEAT_MS = 250;
/** Who looks again only after so long, in milliseconds, has not run: nobody's silence can be told from it. */
const MAX_GAP_MS = 500;

/**
 * A clock that leaves out the pauses of this process: a SIGSTOP, a suspended machine, a long collection. What a deadline measures is
 * how long a peer had for something, and while we don't run nobody reads what it sends. So time moves on by no more than a beat
 * between two looks at it, and a timer that falls due in a pause waits for the rest of its time. On a process that runs it is the
 * clock beneath.
 */
export class SteadyClock implements Clock {
  readonly #base: Clock;
  readonly #onPause: (pauseMs: number) => void;
  #lastMs = 0;
  #leftOutMs = 0;
  #isRunning = false;
  #beat: Timer | undefined;
  #nextTimer = 1;
  /** Timers of the clock beneath, by ours. */
  readonly #timers = new Map<Timer, Timer>();

  /** @param onPause Is told of each pause, in milliseconds, when it is over. */
  constructor(base: Clock, onPause: (pauseMs: number) => void = () => {}) {
    this.#base = base;
    this.#onPause = onPause;
  }

  /** Begins to look for pauses. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#lastMs = this.#base.now();
    this.#look();
  }

  /** Looks for pauses no longer; time goes on. */
  stop(): void {
    this.#isRunning = false;
    if (this.#beat !== undefined) this.#base.clearTimer(this.#beat);
    this.#beat = undefined;
  }

  now(): number {
    const nowMs = this.#base.now();
    const pauseMs = nowMs - this.#lastMs - BEAT_MS;
    this.#lastMs = nowMs;
    if (this.#isRunning && pauseMs > MAX_GAP_MS - BEAT_MS) {
      this.#leftOutMs += pauseMs;
      this.#onPause(pauseMs);
    }
    return nowMs - this.#leftOutMs;
  }

  wallNow(): number {
    return this.#base.wallNow();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = this.#nextTimer++ as unknown as Timer;
    const dueMs = this.now() + delayMs;
    const wait = (ms: number) => {
      this.#timers.set(
        timer,
        this.#base.setTimer(() => {
          const leftMs = dueMs - this.now();
          if (leftMs >= 1) return wait(leftMs);
          this.#timers.delete(timer);
          callback();
        }, ms),
      );
    };
    wait(delayMs);
    return timer;
  }

  clearTimer(timer: Timer): void {
    const beneath = this.#timers.get(timer);
    if (beneath === undefined) return;
    this.#timers.delete(timer);
    this.#base.clearTimer(beneath);
  }

  soon(callback: () => void): void {
    this.#base.soon(callback);
  }

  readonly #look = (): void => {
    this.now();
    this.#beat = this.#base.setTimer(this.#look, BEAT_MS);
  };
}
