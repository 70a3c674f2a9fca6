import type { Hono } from "hono";
import type { MetricsOptions } from "../metrics/metrics_routes.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import type { ApiCredentials } from "../middleware/credentials.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { LoginAttempts } from "../middleware/login_attempts.ts";
import type { Sessions } from "../middleware/sessions.ts";
import type { DrainControl } from "./drain_routes.ts";
import type { RecordingControl } from "./recordings_routes.ts";
import type { ReloadRunner } from "./reload_runner.ts";

/** What the HTTP API is made of. */
export interface ApiOptions {
  readonly view: ServerView;
  readonly probe: SystemProbe;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `http_api.listen` as configured, shown by `raw?rpc=raw`. */
  readonly listen: string;
  /** Let pages of other origins read the answers (CORS). */
  readonly crossdomain: boolean;
  /** Ask for credentials on `/api/`; absent: anyone may read, and this machine may change. */
  readonly auth?: ApiCredentials;
  /** Who has failed to give them; absent: a book of this app's own. One of the caller's outlives the app. */
  readonly attempts?: LoginAttempts;
  /** Who has logged in with a browser; absent: a book of this app's own. One of the caller's outlives the app. */
  readonly sessions?: Sessions;
  /** Reads the configuration anew and applies it; rejects with the reason when it is wrong. */
  readonly reload: () => Promise<void>;
  /** Runs the reloads that are asked for here; absent: one of this app's own. What it tells of the last one outlives the app. */
  readonly reloads?: ReloadRunner;
  /** What `/metrics` shows beside the view. */
  readonly metrics: MetricsOptions;
  /** Takes the server out of service. */
  readonly drain: DrainControl;
  /** Begins and ends recordings. */
  readonly recordings: RecordingControl;
  /** Ports of the HTTP server with the players' page by protocol, for links of the console; absent: no links. */
  readonly playersPorts?: { readonly http?: number; readonly https?: number };
  /** Adds routes, behind the same checks of credentials as the others. Paths under `/api/v1/clusters` are open. */
  readonly extraRoutes?: (app: Hono, guard: ChangeGuard) => void;
}
