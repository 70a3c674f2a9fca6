import type { ReadingsBy } from "./node_counts.ts";
import type { HistogramMetric, ValueMetric } from "./prometheus_text.ts";

/** What goes up and down. */
export function gauge(name: string, help: string, samples: ValueMetric["samples"]): ValueMetric {
  return { name, kind: "gauge", help, samples };
}

/** What only grows, from 0 at the start. */
export function counter(name: string, help: string, samples: ValueMetric["samples"]): ValueMetric {
  return { name, kind: "counter", help, samples };
}

/** Values spread over buckets, by one label. */
export function histogram(
  name: string,
  help: string,
  label: string,
  readings: ReadingsBy<string>,
): HistogramMetric {
  const samples = readings.map(([value, reading]) => ({ labels: { [label]: value }, reading }));
  return { name, kind: "histogram", help, samples };
}

/** A sample for each entry, the key as the value of one label. */
export function by(
  label: string,
  values: Readonly<Record<string, number>> | Iterable<readonly [string, number]>,
): ValueMetric["samples"] {
  const entries = Symbol.iterator in values ? [...values] : Object.entries(values);
  return entries.map(([key, value]) => ({ labels: { [label]: key }, value }));
}
