/** Counts by a few words each, from closed sets: labels of a metric. */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<Label, string>>; value: number }>();

  /** @param expected What is shown as 0 until it comes: the first one is then a change that can be seen. */
  constructor(expected: readonly Readonly<Record<Label, string>>[] = []) {
    for (const labels of expected) this.#counts.set(Object.values(labels).join("\n"), { labels, value: 0 });
  }

  count(labels: Readonly<Record<Label, string>>): void {
    const key = Object.values(labels).join("\n");
    const counted = this.#counts.get(key);
    if (counted === undefined) this.#counts.set(key, { labels, value: 1 });
    else counted.value++;
  }

  /** What has been counted, in the order in which it came first. */
  get samples(): readonly TallySample<Label>[] {
    return [...this.#counts.values()];
  }
}

/** How often something has been counted. */
export interface TallySample<Label extends string = string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}
