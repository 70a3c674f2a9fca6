/** The value below which `share` of `values` are, 0 to 1. */
export function percentile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.min(Math.floor(values.length * share), values.length - 1)];
}

/** Between two readings of {@link machineTicks}. */
export function busyPercent(before: readonly [number, number], after: readonly [number, number]): number {
  return (after[0] - before[0]) / (after[1] - before[1]) * 100;
}

/** Resolves after so many seconds. */
export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
