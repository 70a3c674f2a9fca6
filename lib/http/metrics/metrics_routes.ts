import type { Hono } from "hono";
import { resource } from "../middleware/answer.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import type { CpuSampler } from "./cpu_sampler.ts";
import type { NodeCounts } from "./node_counts.ts";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "./prometheus_text.ts";
import { clientMetrics, healthMetrics, peerMetrics, processMetrics } from "./server_metrics.ts";
import { type BuildLabels, srsMetrics } from "./srs_metrics.ts";
import { streamMetrics } from "./stream_metrics.ts";

/** What is shown beside what every server shows. */
export interface MetricsOptions {
  readonly build: BuildLabels;
  /** How many streams have series of their own; 0: none has. */
  readonly streamsMax: number;
  readonly counts: () => NodeCounts;
}

/**
 * `/metrics`, for Prometheus: SRS's names and Headwater's own. Everything is read when Prometheus asks, so there are no second books;
 * labels come from closed sets, so a busy server has as many lines as an idle one, but for the series of streams, which are capped.
 *
 * @param now Milliseconds since 1970.
 */
export function addMetricsRoutes(
  app: Hono,
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  now: () => number,
  { build, streamsMax, counts: readCounts }: MetricsOptions,
): void {
  resource(app, "/metrics", {
    GET: (c) => {
      const sample = cpu.sample(now());
      const totals = view.totals();
      const counts = readCounts();
      const metrics = [
        ...srsMetrics(view, probe, sample, totals, build),
        ...processMetrics(view, sample),
        ...healthMetrics(view, totals, counts),
        ...clientMetrics(totals, counts),
        ...peerMetrics(totals, counts),
        ...(streamsMax > 0 ? streamMetrics(view, streamsMax) : []),
      ];
      return c.body(prometheusText(metrics), 200, { "Content-Type": PROMETHEUS_CONTENT_TYPE });
    },
  });
}
