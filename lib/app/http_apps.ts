import type { Hono } from "hono";
import type { ClusterReport } from "../cluster/cluster_report.ts";
import { createApiApp } from "../http/api/api_app.ts";
import { addClustersRoutes } from "../http/api/clusters_routes.ts";
import { appHandler } from "../http/app_handler.ts";
import type { ServerView } from "../http/server_view.ts";
import { addStreamRoutes, createStreamApp, type StreamAppOptions } from "../http/stream_app.ts";
import { FlvServer } from "../server/flv_server.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import type { Config } from "./config.ts";
import { sharesPort } from "./config_checks.ts";
import type { HttpApps } from "./ports.ts";
import { SIGNATURE } from "./settings.ts";
import { DenoSystemProbe } from "./system_probe.ts";

/** What the HTTP servers of a node are made of. */
export interface HttpAppsOptions {
  readonly config: () => Config;
  readonly rtmp: RtmpServer;
  readonly view: ServerView;
  readonly clusterReport: ClusterReport;
  /** Reads the configuration anew. */
  readonly reload: () => Promise<void>;
  /** The port of the players' page, if there is one. */
  readonly playersPort: number | undefined;
}

/** Puts the HTTP side of a node together. A module of its own, since a node loads it when it serves RTMP already. */
export function createHttpApps(options: HttpAppsOptions): HttpApps {
  return {
    api: appHandler(createApi(options)),
    stream: appHandler(createStreamApp(streamOptions(options))),
  };
}

function createApi(options: HttpAppsOptions): Hono {
  const { view, clusterReport, reload, playersPort } = options;
  const config = options.config();
  const { http_api: api, limits } = config;
  return createApiApp({
    view,
    probe: new DenoSystemProbe(),
    now: Date.now,
    listen: api.listen[0]?.literal ?? "",
    crossdomain: api.crossdomain,
    ...(api.auth.enabled ? { auth: { username: api.auth.username, password: api.auth.password } } : {}),
    // Over HTTP only for those who gave a password; SIGHUP is for the others.
    rawApi: { enabled: api.auth.enabled, allowReload: api.auth.enabled },
    reload,
    ...(playersPort === undefined ? {} : { playersPort }),
    maxBodyBytes: limits.http_body_max_bytes,
    extraRoutes: (app) => {
      addClustersRoutes(app, clusterReport);
      if (sharesPort(config)) addStreamRoutes(app, streamOptions(options));
    },
  });
}

function streamOptions({ config, rtmp, view }: HttpAppsOptions): StreamAppOptions {
  const { http_api: api, http_server: server } = config();
  return {
    source: new FlvServer(rtmp),
    // Whoever needs a password for the API should not see its list without one.
    ...(api.auth.enabled ? {} : { view }),
    maxNameBytes: () => config().limits.stream_key_max_bytes,
    crossdomain: server.crossdomain,
    signature: SIGNATURE,
  };
}
