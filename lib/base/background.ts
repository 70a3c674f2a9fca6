import { getLogger } from "@logtape/logtape";

const log = getLogger(["headwater", "background"]);

/** Lets work go on that nobody waits for. A fault of it is logged, and costs nothing else. */
export function inBackground(work: Promise<unknown>, what: string): void {
  work.catch((error: unknown) =>
    log.error("Background work failed by a fault of this program", { what, error })
  );
}
