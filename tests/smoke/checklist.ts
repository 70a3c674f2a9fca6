/** Runs checks one by one and prints a line for each. */
export class Checklist {
  #passed = 0;
  #failed = 0;

  /** @param check Resolves to what was seen, for the log; rejects when it is wrong. */
  async check(name: string, check: () => string | void | Promise<string | void>): Promise<void> {
    try {
      const seen = await check();
      this.#passed += 1;
      say(`ok    ${name}${seen === undefined || seen === "" ? "" : `: ${seen}`}`);
    } catch (error) {
      this.#failed += 1;
      const text = error instanceof Error ? error.message : String(error);
      say(`FAIL  ${name}: ${text.split("\n").join("\n      | ")}`);
    }
  }

  get failed(): number {
    return this.#failed;
  }

  /** `N passed, N failed` */
  summary(): string {
    return `${this.#passed} passed, ${this.#failed} failed`;
  }
}

/** One line of the log. */
export function say(text: string): void {
  // deno-lint-ignore no-console -- this is a command line program
  console.log(text);
}
