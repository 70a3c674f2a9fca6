import { inBackground } from "../../base/background.ts";
import { errorText } from "../../base/errors.ts";

/** SRS's numbers for how far a reload has come, and for a configuration that is wrong. */
const STATE = { none: 0, parsing: 10, finished: 90 } as const;
const INVALID_CONFIG = 1023;

/** How the last reload went, in the fields of SRS's `reload-fetch`. */
export interface ReloadReport {
  /** 0, or SRS's code of the failure. */
  readonly err: number;
  readonly msg: string;
  readonly state: number;
  /** Names the reload, so that two can be told apart; empty before the first. */
  readonly rid: string;
}

/** Runs reloads one after another; requests that come while one waits are served by that one. */
export class ReloadRunner {
  readonly #reload: () => Promise<void>;
  #report: ReloadReport = { err: 0, msg: "Success", state: STATE.none, rid: "" };
  #isRunning = false;
  #isWanted = false;

  constructor(reload: () => Promise<void>) {
    this.#reload = reload;
  }

  get report(): ReloadReport {
    return this.#report;
  }

  /** Starts a reload, or has one follow the one that runs: that one may have read the file already. Returns at once. */
  request(): void {
    this.#isWanted = true;
    if (!this.#isRunning) inBackground(this.#run(), "reload");
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const rid = crypto.randomUUID().slice(0, 7);
      this.#report = { err: 0, msg: "Success", state: STATE.parsing, rid };
      try {
        await this.#reload();
        this.#report = { ...this.#report, state: STATE.finished };
      } catch (error) {
        this.#report = { ...this.#report, err: INVALID_CONFIG, msg: errorText(error) };
      }
    }
    this.#isRunning = false;
  }
}
