import { inBackground } from "../base/background.ts";
import { getLogger } from "@logtape/logtape";
import type { Hono } from "hono";
import type { Clock } from "../base/clock.ts";
import type { ClusterStream } from "../cluster/cluster_streams.ts";
import type { ClusterReport } from "../cluster/cluster_report.ts";
import { createApiApp } from "../http/api/api_app.ts";
import { ClusterClients } from "../http/api/cluster_clients_list.ts";
import { addClusterClientsRoutes } from "../http/api/cluster_clients_routes.ts";
import { addClustersRoutes } from "../http/api/clusters_routes.ts";
import { EventStreams } from "../http/api/event_streams.ts";
import { addEventsRoutes } from "../http/api/events_routes.ts";
import { addClusterHistoryRoutes, ClusterHistories } from "../http/api/history_routes.ts";
import type { ChangeGuard } from "../http/middleware/changes.ts";
import type { DrainControl } from "../http/api/drain_routes.ts";
import type { RecordingControl } from "../http/api/recordings_routes.ts";
import { Sessions } from "../http/middleware/sessions.ts";
import { LoginAttempts } from "../http/middleware/login_attempts.ts";
import { ReloadRunner } from "../http/api/reload_runner.ts";
import { createExporterApp } from "../http/metrics/exporter_app.ts";
import type { MetricsOptions } from "../http/metrics/metrics_routes.ts";
import type { NodeCounts } from "../http/metrics/node_counts.ts";
import { appHandler } from "../http/app_handler.ts";
import type { HttpHandler } from "../http/server/http_handler.ts";
import { HttpServer } from "../http/server/http_server.ts";
import type { ServerView } from "../http/server_view.ts";
import { addStreamRoutes, createStreamApp, type StreamAppOptions } from "../http/stream_app.ts";
import type { Entrance } from "../net/entrance.ts";
import { FlvServer } from "../outputs/flv_server.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import type { Config } from "../config/config.ts";
import { sharesPort } from "../config/config_checks.ts";
import { ifKnown } from "./if_known.ts";
import { publicListen } from "./open_api.ts";
import type { Ports } from "./ports.ts";
import { httpLimits, httpSettings, SIGNATURE } from "./settings.ts";
import { DenoSystemProbe } from "./deno_system_probe.ts";

const log = getLogger(["headwater", "http"]);

/**
 * Connections to the API that are let in when `max_connections` others are open: probes, and whoever wants to know why. Twice as many as
 * are told at a time that they can't get in: a crowd at the other ports must not keep these out.
 */
const RESERVED_FOR_API = 32;

/** What the HTTP servers of a node are made of. */
export interface HttpAppsOptions {
  readonly config: () => Config;
  readonly rtmp: RtmpServer;
  readonly view: ServerView;
  readonly clusterReport: ClusterReport;
  readonly recordings: RecordingControl;
  /** What the metrics tell beside the view. */
  readonly counts: () => NodeCounts;
  /** Reads the configuration anew. */
  readonly reload: () => Promise<void>;
  /** Takes the server out of service. */
  readonly drain: DrainControl;
  /** That of all connections of the process. */
  readonly entrance: Entrance;
  readonly clock: Clock;
}

/** The HTTP side of a node. */
export interface HttpApps {
  /** Ends everything, and resolves when it has ended. */
  close(): Promise<void>;
  /** Answers what comes by the configuration as it is now. */
  reload(): void;
}

/** Serves the HTTP ports of a node. A module of its own, since a node loads it when it serves RTMP already. */
export function serveHttp(options: HttpAppsOptions, ports: Ports): HttpApps {
  const { config, view, clock, entrance } = options;
  const server = new HttpServer({
    clock,
    entrance,
    limits: () => httpLimits(config()),
    onFault: (error) => log.error("HTTP request failed", { error }),
    onContradiction: ({ hostname }) =>
      log.warn("Proxy's X-Forwarded-For and Forwarded name different clients: X-Forwarded-For counts", {
        proxy: hostname,
      }),
    onTlsClient: (peer, local) =>
      log.info("HTTP request refused: the client speaks TLS (https://), this port is for plain HTTP", {
        peer: `${peer.hostname}:${peer.port}`,
        port: local.port,
      }),
    onRefused: (count, reason) => log.warn("HTTP connections refused", { count, reason }),
  });
  const isShared = sharesPort(config());
  const reloads = new ReloadRunner(options.reload);
  const attempts = new LoginAttempts();
  const sessions = new Sessions();
  const events = new EventStreams({ clock, bootId: view.serviceId });
  const { httpServer: [http], httpsServer: [https] } = ports.addresses;
  const playersPorts = {
    ...(http === undefined ? {} : { http: http.port }),
    ...(https === undefined ? {} : { https: https.port }),
  };
  const createApps = () => ({
    api: appHandler(createApi(options, { reloads, attempts, sessions, events, playersPorts })),
    stream: appHandler(createStreamApp(streamOptions(options))),
    exporter: appHandler(createExporterApp(view, new DenoSystemProbe(), Date.now, metricsOptions(options))),
  });
  let apps = createApps();
  warnOfOpenApi(config(), ports);
  const api: HttpHandler = (...request) => apps.api(...request);
  const exporter: HttpHandler = (...request) => apps.exporter(...request);
  const stream: HttpHandler = (...request) => apps.stream(...request);
  for (const listener of ports.httpApi) {
    inBackground(server.serve(listener, api, isShared ? 0 : RESERVED_FOR_API), "HTTP API");
  }
  for (const listener of ports.httpServer) inBackground(server.serve(listener, stream), "HTTP server");
  for (const listener of ports.exporter) {
    inBackground(server.serve(listener, exporter, RESERVED_FOR_API), "exporter");
  }
  return {
    async close() {
      events.closeAll();
      await server.close();
    },
    reload() {
      apps = createApps();
      // They were let in by the configuration as it was; browsers come back.
      events.closeAll();
      warnOfOpenApi(config(), ports);
    },
  };
}

/** What everybody may read should be so on purpose. */
function warnOfOpenApi({ http_api: api }: Config, { addresses }: Ports): void {
  if (api.auth.enabled) return;
  const interfaces = (ifKnown(() => Deno.networkInterfaces()) ?? []).map(({ address }) => address);
  const listens = [...addresses.httpApi, ...addresses.httpsApi];
  const address = publicListen(listens.map(({ hostname }) => hostname), interfaces);
  if (address === undefined) return;
  log.warn(
    "HTTP API can be read from the internet without a password: set http_api.auth or http_api.listen",
    {
      address,
      port: listens[0]?.port,
    },
  );
}

/** What outlives the apps, which a reload makes anew. */
interface ApiState {
  readonly reloads: ReloadRunner;
  readonly attempts: LoginAttempts;
  readonly sessions: Sessions;
  readonly events: EventStreams;
  readonly playersPorts: { readonly http?: number; readonly https?: number };
}

function createApi(
  options: HttpAppsOptions,
  { reloads, attempts, sessions, events, playersPorts }: ApiState,
): Hono {
  const { view, clusterReport, reload } = options;
  const config = options.config();
  const { apiCrossdomain: crossdomain, auth } = httpSettings(config);
  return createApiApp({
    view,
    probe: new DenoSystemProbe(),
    now: Date.now,
    listen: config.http_api.listen[0]?.literal ?? "",
    crossdomain,
    ...(auth === undefined ? {} : { auth }),
    attempts,
    sessions,
    metrics: metricsOptions(options),
    reload,
    reloads,
    drain: options.drain,
    recordings: options.recordings,
    playersPorts,
    extraRoutes: (app, guard) => {
      addClustersRoutes(app, clusterReport, auth !== undefined);
      addSeenRoutes(app, guard, options, auth !== undefined, events);
      if (sharesPort(config)) addStreamRoutes(app, streamOptions(options));
    },
  });
}

/** What people see of the cluster as one, from this node. */
function addSeenRoutes(
  app: Hono,
  guard: ChangeGuard,
  { view, clusterReport: cluster }: HttpAppsOptions,
  hasAuth: boolean,
  events: EventStreams,
): void {
  const clients = new ClusterClients(view, cluster, Date.now);
  const histories = new ClusterHistories(view, cluster, Date.now);
  addClusterClientsRoutes(app, { view, cluster, hasAuth, guard, lists: clients });
  addClusterHistoryRoutes(app, { view, cluster, hasAuth, histories });
  addEventsRoutes(app, { cluster, hasAuth, events, clients, histories });
}

function metricsOptions({ config, counts }: HttpAppsOptions): MetricsOptions {
  const { label, tag, streams, streams_max: streamsMax } = config().exporter;
  return { build: { label, tag }, streamsMax: streams ? streamsMax : 0, counts };
}

/** Streams of other nodes that the players' page lists: as many as its own list is asked for. */
const MAX_ELSEWHERE = 1000;

function streamOptions({ config, rtmp, view, clusterReport }: HttpAppsOptions): StreamAppOptions {
  const { auth, streamCrossdomain: crossdomain } = httpSettings(config());
  return {
    source: new FlvServer(rtmp),
    // Whoever needs a password for the API should not see its list without one.
    ...(auth === undefined ? { view, elsewhere: () => streamsElsewhere(clusterReport) } : {}),
    maxNameBytes: () => config().limits.stream_key_max_bytes,
    crossdomain,
    signature: SIGNATURE,
  };
}

async function streamsElsewhere(report: ClusterReport): Promise<readonly ClusterStream[]> {
  const { streams } = await report.clusterStreams(() => true, {
    search: "",
    sort: "name",
    isDescending: false,
    start: 0,
    count: MAX_ELSEWHERE,
  });
  return streams.filter(({ live, nodes }) =>
    live && !nodes.some(({ self, role }) => self && role !== "waiting")
  );
}
