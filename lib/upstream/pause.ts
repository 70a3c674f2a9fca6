import type { Clock } from "../base/clock.ts";

/** Waits for so long, in milliseconds, or until the signal aborts. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(resolve, ms);
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort);
  await promise;
  clock.clearTimer(timer);
  signal.removeEventListener("abort", onAbort);
}
