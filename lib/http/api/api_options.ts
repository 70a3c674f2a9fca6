import type { Hono } from "hono";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import type { DrainControl } from "./drain_routes.ts";
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
  /** Ask for HTTP Basic credentials on `/api/`; absent: anyone may. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** `http_api.raw_api`: whether the configuration may be reloaded over HTTP. */
  readonly rawApi: { readonly enabled: boolean; readonly allowReload: boolean };
  /** Reads the configuration anew and applies it; rejects with the reason when it is wrong. */
  readonly reload: () => Promise<void>;
  /** Runs the reloads that are asked for here; absent: one of this app's own. What it tells of the last one outlives the app. */
  readonly reloads?: ReloadRunner;
  /** Takes the server out of service. */
  readonly drain: DrainControl;
  /** Port of the HTTP server with the players' page, for links of the console; absent: no links. */
  readonly playersPort?: number;
  /**
   * Longest body of a request, in bytes.
   *
   * @default {65_536}
   */
  readonly maxBodyBytes?: number;
  /** Adds routes, behind the same checks of credentials and sizes as the others. Paths under `/api/v1/clusters` are open. */
  readonly extraRoutes?: (app: Hono) => void;
}
