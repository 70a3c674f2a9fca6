/** One metric with its values of this moment. */
export interface Metric {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  /** One value, or one for each set of labels; none: the metric is left out. */
  readonly samples: number | readonly MetricSample[];
}

/** A value and the labels that tell it from the others of its metric. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
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
  for (const { name, kind, help, samples } of metrics) {
    const list = typeof samples === "number" ? [{ labels: {}, value: samples }] : samples;
    if (list.length === 0) continue;
    text += `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${kind}\n`;
    for (const { labels, value } of list) text += `${name}${labelText(labels)} ${valueText(value)}\n`;
  }
  return text;
}

function labelText(labels: Readonly<Record<string, string>>): string {
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
