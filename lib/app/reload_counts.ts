import type { NodeCounts } from "../http/metrics/node_counts.ts";

/** What came of reloads of the configuration. */
export class ReloadCounts {
  #success = 0;
  #failure = 0;
  #isCurrent = true;

  /** @param isDone Whether the new configuration is in use. */
  count(isDone: boolean): void {
    if (isDone) this.#success++;
    else this.#failure++;
    this.#isCurrent = isDone;
  }

  read(): Pick<NodeCounts, "reloadsTotal" | "isConfigCurrent"> {
    return {
      reloadsTotal: { success: this.#success, failure: this.#failure },
      isConfigCurrent: this.#isCurrent,
    };
  }
}
