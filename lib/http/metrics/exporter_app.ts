import { getLogger } from "@logtape/logtape";
import { Hono } from "hono";
import { refusal } from "../middleware/answer.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { CpuSampler } from "./cpu_sampler.ts";
import { addMetricsRoutes, type MetricsOptions } from "./metrics_routes.ts";

const log = getLogger(["headwater", "http", "exporter"]);

/** SRS's `exporter`: a port with `/metrics` and nothing else, so that it can be open where the API is not. */
export function createExporterApp(
  view: ServerView,
  probe: SystemProbe,
  now: () => number,
  options: MetricsOptions,
): Hono {
  const app = new Hono({ strict: false });
  app.use(async function plainHeaders(c, next) {
    await next();
    c.res.headers.set("X-Content-Type-Options", "nosniff");
    c.res.headers.set("Cache-Control", "no-store");
  });
  addMetricsRoutes(app, view, probe, new CpuSampler(probe, view.startedAtMs), now, options);
  app.notFound((c) => refusal(c, 404, `Cannot find ${c.req.path}: this port has /metrics only`));
  app.onError((error, c) => {
    log.error("Request failed", { method: c.req.method, path: c.req.path, error });
    return refusal(c, 500, "Internal error: see the server's log");
  });
  return app;
}
