/** Kept for files, look-ups of names, requests to coworkers, the API (32) and those who are told that they can't get in (16). */
const RESERVED_DESCRIPTORS = 80;
/** Opens everywhere, and without side effects. */
const NULL_DEVICE = Deno.build.os === "windows" ? "NUL" : "/dev/null";

/**
 * For how many more connections this process has descriptors, found by opening some: the runtime names no limit, and on Linux its own
 * entries in `/proc` need every permission. Takes about 10 µs a descriptor.
 *
 * @param wanted How many would do.
 * @param open Opens one descriptor, or throws; returns what closes it.
 * @returns Infinity when there are as many as wanted.
 */
export function findDescriptors(wanted: number, open: () => () => void = openNullDevice): number {
  const closers: (() => void)[] = [];
  try {
    while (closers.length < wanted + RESERVED_DESCRIPTORS) closers.push(open());
    return Infinity;
  } catch (error) {
    // Only a limit is meant: a system without such a device has told nothing.
    if (!isOutOfDescriptors(error)) return Infinity;
    return Math.max(1, closers.length - RESERVED_DESCRIPTORS);
  } finally {
    for (const close of closers) close();
  }
}

/** Whether opening or accepting failed because this process, or the system, has no descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === "EMFILE" || code === "ENFILE";
}

function openNullDevice(): () => void {
  const file = Deno.openSync(NULL_DEVICE);
  return () => file.close();
}
