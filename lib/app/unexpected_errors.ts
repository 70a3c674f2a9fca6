import { getLogger } from "@logtape/logtape";

const log = getLogger(["headwater", "app"]);

/**
 * The last to hear of an error that nobody expected: in work that nobody waits for, in a timer, in an event's listener.
 * Such an error is a fault of this program. It is logged and counted, and never ends the process with all its streams.
 */
export class UnexpectedErrors {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Begins to listen, until the process ends. */
  listen(target: EventTarget = globalThis): void {
    target.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      this.#note((event as PromiseRejectionEvent).reason);
    });
    target.addEventListener("error", (event) => {
      event.preventDefault();
      this.#note((event as ErrorEvent).error);
    });
  }

  #note(error: unknown): void {
    this.#count++;
    log.error("Unexpected internal error", { error });
  }
}
