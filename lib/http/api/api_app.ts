import { getLogger } from "@logtape/logtape";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { RtmpError } from "../../base/errors.ts";
import { addConsoleRoutes } from "../console/console_routes.ts";
import { CpuSampler } from "../metrics/cpu_sampler.ts";
import { addAboutRoutes } from "./about_routes.ts";
import { refusal } from "../middleware/answer.ts";
import type { ApiOptions } from "./api_options.ts";
import { addClientsRoutes } from "./clients_routes.ts";
import { crossOrigin } from "../middleware/cross_origin.ts";
import { addDrainRoutes } from "./drain_routes.ts";
import { addForwardsRoutes } from "./forwards_routes.ts";
import { addHealthRoutes } from "./health_routes.ts";
import { jsonp } from "../middleware/jsonp.ts";
import { addHistoryRoutes } from "./history_routes.ts";
import { addListingRoutes } from "./listing_routes.ts";
import { addMetricsRoutes } from "../metrics/metrics_routes.ts";
import { guardChanges } from "../middleware/changes.ts";
import { credentials, credentialsCheck } from "../middleware/credentials.ts";
import { LoginAttempts } from "../middleware/login_attempts.ts";
import { markOf, sessionOf, Sessions } from "../middleware/sessions.ts";
import { addSessionRoutes } from "./session_routes.ts";
import { addOpenApiRoutes } from "./openapi_routes.ts";
import { addProcessRoutes } from "./process_routes.ts";
import { addLogsRoutes } from "./logs_routes.ts";
import { addRawRoutes } from "./raw_routes.ts";
import { addRecordingsRoutes } from "./recordings_routes.ts";
import { addStreamsRoutes } from "./streams_routes.ts";
import { addSummariesRoutes } from "./summaries_routes.ts";
import { addTestsRoutes } from "./tests_routes.ts";
import { addVhostsRoutes } from "./vhosts_routes.ts";

const log = getLogger(["headwater", "http", "api"]);

/**
 * The HTTP API in SRS's shapes, `/metrics`, `/healthz`, `/readyz` and `/console/`. A path is answered the same with and without a slash
 * at its end (SRS redirects). Holds no socket: hand its `fetch` to a listener.
 *
 * @throws {RangeError} With `auth` whose name or password is empty.
 */
export function createApiApp(options: ApiOptions): Hono {
  const { view, probe, now } = options;
  const app = new Hono({ strict: false });
  const cpu = new CpuSampler(probe, view.startedAtMs);

  app.use(async function plainHeaders(c, next) {
    await next();
    c.res.headers.set("X-Content-Type-Options", "nosniff");
    c.res.headers.set("Cache-Control", c.res.headers.get("Cache-Control") ?? "no-store");
  });
  app.use(crossOrigin(options.crossdomain));
  const attempts = options.attempts ?? new LoginAttempts();
  const sessions = options.sessions ?? new Sessions();
  const { auth } = options;
  const check = auth && credentialsCheck(auth, attempts, now);
  if (auth !== undefined && check !== undefined) {
    const mark = markOf(auth);
    app.use(
      "/api/*",
      credentials(check, (c) => {
        const id = sessionOf(c, view.serverId);
        return id !== undefined && sessions.use(id, mark, now());
      }),
    );
  }
  const guard = guardChanges(auth !== undefined);
  app.use("/api/*", jsonp);

  addSessionRoutes(app, { view, auth, check, sessions, guard, now });
  addListingRoutes(app, view);
  addAboutRoutes(app, view);
  addSummariesRoutes(app, view, probe, cpu, now);
  addProcessRoutes(app, view, probe, cpu, now);
  addVhostsRoutes(app, view);
  addStreamsRoutes(app, view, guard, now);
  addHistoryRoutes(app, view);
  addClientsRoutes(app, view, guard, now);
  addLogsRoutes(app, view, guard);
  addRawRoutes(app, options, guard);
  addTestsRoutes(app, view, now);
  addDrainRoutes(app, view, options.drain, guard);
  addForwardsRoutes(app, view);
  addRecordingsRoutes(app, view, options.recordings, guard);
  addHealthRoutes(app, view);
  addMetricsRoutes(app, view, probe, cpu, now, options.metrics);
  addConsoleRoutes(app, options.playersPorts);
  addOpenApiRoutes(app, view, auth !== undefined);
  options.extraRoutes?.(app, guard);

  app.notFound((c) => refusal(c, 404, `Cannot find ${c.req.path}`));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof RtmpError) {
      return Response.json({ code: error.srsCode, message: error.message }, { status: error.httpStatus });
    }
    log.error("Request failed", { method: c.req.method, path: c.req.path, error });
    return refusal(c, 500, "Internal error: see the server's log");
  });
  return app;
}
