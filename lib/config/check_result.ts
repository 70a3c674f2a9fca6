import type { RawPath } from "./raw_config.ts";

/** What is wrong between keys that are each right. */
export interface CheckResult {
  readonly errors: {
    readonly path: RawPath;
    readonly message: string;
    /** The other keys that it takes to be wrong. */
    readonly others: readonly RawPath[];
  }[];
  readonly warnings: string[];
}
