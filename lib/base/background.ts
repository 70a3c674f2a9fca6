/**
 * Lets work go on that nobody waits for. It handles the failures that it expects; any other is a fault, and reported as an
 * error of the whole program, which logs and counts it and goes on.
 *
 * @param what The work, as in `search for an origin`.
 */
export function inBackground(work: Promise<unknown>, what: string): void {
  work.catch((cause: unknown) => reportError(new Error(`${what} failed`, { cause })));
}
