/**
 * What a reading of the machine gives, or undefined where it can't be had: without the permission, or where the system forbids or lacks
 * it (a container, a sandbox). That costs a fact, never the answer that it was for.
 */
export function ifKnown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
