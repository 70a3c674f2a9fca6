/**
 * A promise that must settle in time, so that a test that waits for what never comes says what it was.
 *
 * @param what What is waited for; asked when the time is over.
 * @throws {Error} Naming `what`, after `timeoutMs`.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  what: string | (() => string),
  timeoutMs = 10_000,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error(`Waited ${timeoutMs} ms in vain for ${typeof what === "string" ? what : what()}`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `condition` holds, looking every few milliseconds. For what has no event. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
