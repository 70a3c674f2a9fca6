import type { HistogramReading } from "../../base/histogram.ts";

/** A metric with its values of this moment. */
export type Metric = ValueMetric | HistogramMetric;

/** A number, or several that labels tell apart. */
export interface ValueMetric {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  /** One value, or one for each set of labels; none: the metric is left out. */
  readonly samples: number | readonly MetricSample[];
}

/** How values are spread over buckets, or several such that labels tell apart. */
export interface HistogramMetric {
  readonly name: string;
  readonly kind: "histogram";
  readonly help: string;
  readonly samples: readonly { readonly labels: Labels; readonly reading: HistogramReading }[];
}

export type Labels = Readonly<Record<string, string>>;

/** A value and the labels that tell it from the others of its metric. */
export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
}

/** The media type of what `prometheusText` gives. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Metrics in Prometheus' text format 0.0.4.
 *
 * Written by hand: all values are read when they are asked for, so of a client library only this would be used, and
 * `@prometheus-io/client` can't be loaded by Deno 2.4 (it opens a `BroadcastChannel`, which is unstable there).
 */
export function prometheusText(metrics: Iterable<Metric>): string {
  let text = "";
  for (const metric of metrics) {
    const lines = metric.kind === "histogram" ? histogramLines(metric) : valueLines(metric);
    if (lines === "") continue;
    const { name, kind, help } = metric;
    text += `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${kind}\n${lines}`;
  }
  return text;
}

function valueLines({ name, samples }: ValueMetric): string {
  const list = typeof samples === "number" ? [{ labels: {}, value: samples }] : samples;
  return list.map(({ labels, value }) => `${name}${labelText(labels)} ${valueText(value)}\n`).join("");
}

function histogramLines({ name, samples }: HistogramMetric): string {
  let text = "";
  for (const { labels, reading: { bounds, counts, count, sum } } of samples) {
    for (const [index, bound] of bounds.entries()) {
      text += `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[index] ?? 0}\n`;
    }
    text += `${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}\n`;
    text += `${name}_sum${labelText(labels)} ${valueText(sum)}\n`;
    text += `${name}_count${labelText(labels)} ${count}\n`;
  }
  return text;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${escapeText(value).replaceAll('"', '\\"')}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
