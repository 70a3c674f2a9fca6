import { setImmediate } from "node:timers";

/** What `setTimeout` gives; a number or an object, by runtime. */
export type Timer = ReturnType<typeof setTimeout>;

/** Time as an argument, so that tests can run it by hand. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970, which may be set back: for people, never to measure with. */
  wallNow(): number;
  setTimer(callback: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer): void;
  /** Calls back when what is ready now has been handled, without waiting for anything else. */
  soon(callback: () => void): void;
}

/** Real time. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimer: (timer) => clearTimeout(timer),
  soon: (callback) => {
    setImmediate(callback);
  },
};
