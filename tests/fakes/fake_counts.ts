import { Histogram, Histograms } from "../../lib/base/histogram.ts";
import type { NodeCounts } from "../../lib/http/metrics/node_counts.ts";

const joins = new Histograms(["local", "relay"], [0.01, 1]);
for (const seconds of [0.01, 0.5, 2]) joins.observe("local", seconds);
const locates = new Histograms(["at"], [0.01]);
locates.observe("at", 0.002);
const hooks = new Histograms(["on_play"], [0.1]);
hooks.observe("on_play", 0.25);
const lag = new Histogram([0.001, 0.01]);
lag.observe(0.001);

/** What the metrics of a fake server tell beside its view: of everything something. */
export const FAKE_COUNTS: NodeCounts = {
  connectionsLimit: 1000,
  publishers: 1,
  playersByProtocol: { "rtmp": 1, "http-flv": 1, "ws-flv": 0 },
  streamsByState: { live: 1, waiting: 1 },
  serverBytes: { received: 1000, sent: 2000 },
  redirectsTotal: [{ labels: { kind: "redirect" }, value: 6 }],
  pullsByState: { feeding: 2, searching: 1 },
  publishConflictsTotal: 1,
  coworkerRoundTripSeconds: 0.004,
  reloadsTotal: { success: 2, failure: 1 },
  isConfigCurrent: false,
  recordings: {
    byState: { recording: 2, waiting: 0, paused: 1 },
    filesTotal: 3,
    writtenBytesTotal: 70_000,
    failuresTotal: { "disk-full": 1 },
  },
  joinSeconds: joins.read(),
  locateSeconds: locates.read(),
  hookSeconds: hooks.read(),
  loopLagSeconds: lag.read(),
};
