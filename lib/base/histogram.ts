/** What a histogram has counted, as Prometheus wants it. */
export interface HistogramReading {
  /** Upper bounds of the buckets, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Of each bound how many values were not above it. */
  readonly counts: readonly number[];
  /** Of all values. */
  readonly count: number;
  readonly sum: number;
}

/** Counts values by size, in buckets that are fixed: a value costs a few comparisons and no memory. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bucket, the last is +Inf; not cumulative. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds Upper bounds, ascending, in the unit of the values. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += value;
  }

  read(): HistogramReading {
    let count = 0;
    const cumulative = Array.from(this.#counts, (each) => count += each);
    return { bounds: this.#bounds, counts: cumulative.slice(0, -1), count, sum: this.#sum };
  }
}

/** A histogram for each value of one label. All are there from the start, so that a first slow one is a change that can be seen. */
export class Histograms<Value extends string> {
  readonly #byValue: ReadonlyMap<Value, Histogram>;

  constructor(values: readonly Value[], bounds: readonly number[]) {
    this.#byValue = new Map(values.map((value) => [value, new Histogram(bounds)]));
  }

  observe(value: Value, observed: number): void {
    this.#byValue.get(value)?.observe(observed);
  }

  read(): readonly (readonly [value: Value, reading: HistogramReading])[] {
    return Array.from(this.#byValue, ([value, histogram]) => [value, histogram.read()]);
  }
}
