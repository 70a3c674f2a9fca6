import type { ServerTotals } from "../../lib/http/server_view.ts";
import { createExporterApp } from "../../lib/http/metrics/exporter_app.ts";
import { NOW_MS } from "./fake_api.ts";
import { FAKE_COUNTS } from "./fake_counts.ts";
import { FakeServerView } from "./fake_server_view.ts";
import { FakeSystemProbe } from "./fake_system_probe.ts";

/** Totals of a server that does everything: in a cluster, with TLS, hooks, access control and forwards. */
export function fullTotals(totals: ServerTotals): ServerTotals {
  return {
    ...totals,
    forwards: {
      byState: { connecting: 0, forwarding: 2, waiting: 1 },
      retriesTotal: 4,
      sentBytesTotal: 5000,
    },
    access: {
      refusedTotal: [{ labels: { check: "security", action: "publish" }, value: 2 }],
      hookCallsTotal: [{ labels: { hook: "on_play", result: "failed" }, value: 1 }],
    },
    certificates: [{ section: "rtmps", expiresAtMs: 1_800_000_000_000 }],
    cluster: { nodesUp: 2, nodesDown: 1, pullRetriesTotal: 9 },
  };
}

/** What Prometheus reads from a server that shows every metric there is. */
export async function fullMetrics(): Promise<string> {
  const view = new FakeServerView();
  view.totalsAnswer = fullTotals(view.totalsAnswer);
  const app = createExporterApp(view, new FakeSystemProbe(), () => NOW_MS, {
    build: { label: "", tag: "" },
    streamsMax: 10,
    counts: () => FAKE_COUNTS,
  });
  return await (await app.request("/metrics")).text();
}
