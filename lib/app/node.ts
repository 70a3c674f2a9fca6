import { getLogger } from "@logtape/logtape";
import { randomId } from "../base/random_id.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { Cluster } from "../cluster/cluster.ts";
import { ClusterReport } from "../cluster/cluster_report.ts";
import type { NodeLoad } from "../cluster/node_state.ts";
import { createApiApp } from "../http/api/api_app.ts";
import { appHandler } from "../http/app_handler.ts";
import { addClustersRoutes } from "../http/api/clusters_routes.ts";
import type { ServerTotals } from "../http/server_view.ts";
import { type HttpHandler, type HttpListener, listenHttp } from "../http/http_listener.ts";
import { addStreamRoutes, createStreamApp, type StreamAppOptions } from "../http/stream_app.ts";
import { dialTcp, type SocketAddress } from "../net/tcp.ts";
import { resolveHost } from "../net/resolve_host.ts";
import { ClusterRouter } from "../server/cluster_router.ts";
import { EdgeRouter } from "../server/edge_router.ts";
import { StreamKeepers } from "../server/stream_keepers.ts";
import { VhostRouter } from "../server/vhost_router.ts";
import { FlvServer } from "../server/flv_server.ts";
import { RtmpServer } from "../server/rtmp_server.ts";
import { ServerRuntime } from "../server/server_runtime.ts";
import { loneOrigin, type StreamRouter } from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config } from "./config.ts";
import { sharesPort } from "./config_checks.ts";
import type { ListenAddress } from "./listen_address.ts";
import { LiveServerView, SAMPLE_INTERVAL_MS } from "./server_view.ts";
import {
  clusterPlaySettings,
  clusterSettings,
  edgeSettings,
  findVhost,
  serverLimits,
  SIGNATURE,
  vhostSettings,
} from "./settings.ts";
import { DenoSystemProbe } from "./system_probe.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["headwater", "app"]);

/** Where a running node listens. */
export interface NodeAddresses {
  readonly rtmp: readonly SocketAddress[];
  readonly httpApi: readonly SocketAddress[];
  readonly httpServer: readonly SocketAddress[];
}

/** One server, put together from a configuration: the only place that knows all parts. */
export class Node {
  readonly runtime: ServerRuntime;
  readonly rtmp: RtmpServer;
  readonly view: LiveServerView;
  readonly cluster: Cluster;
  readonly #reload: () => Promise<void>;
  readonly #keepers: StreamKeepers;
  readonly #clusterReport: ClusterReport;
  readonly #httpListeners: HttpListener[] = [];
  #config: Config;
  #vhosts: ReadonlyMap<string, VhostSettings>;
  #addresses: NodeAddresses | undefined;
  #sampleTimer: ReturnType<typeof setInterval> | undefined;

  /** @param reload Reads the configuration anew and gives it to `reload`; what the HTTP API's reload calls. */
  constructor(config: Config, reload: () => Promise<void> = () => Promise.resolve()) {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    this.#reload = reload;
    const clock = SYSTEM_CLOCK;
    const nodeId = config.server_id || `vid-${randomId(randomBytes, 7)}`;
    const bootId = randomId(randomBytes, 8);
    const identity = { nodeId, signature: SIGNATURE, version: VERSION, processId: Deno.pid };
    const upstream = {
      runtime: () => this.runtime,
      keepers: () => this.#keepers,
      identity,
      dial: dialTcp,
      clock,
    };
    const edge = new EdgeRouter({ ...upstream, settings: (vhost) => edgeSettings(this.#config, vhost) });
    const cluster = new ClusterRouter({
      ...upstream,
      cluster: () => this.cluster,
      settings: (vhost) => clusterPlaySettings(this.#config, vhost),
    });
    const lone = loneOrigin(
      (key) => this.runtime.hub.get(key)?.feed !== undefined,
      (...request) => cluster.admitPublish(...request),
    );
    this.cluster = new Cluster({
      identity: { nodeId, bootId, version: VERSION },
      settings: clusterSettings(config, undefined, undefined),
      fetch: globalThis.fetch,
      resolveHost,
      clock,
      wallNow: Date.now,
      random: Math.random,
      nonce: () => crypto.randomUUID().replaceAll("-", ""),
      onHeard: (key) => this.#keepers.wake(key),
      onLost: (stream, reason) => cluster.lose(stream, reason),
    });
    this.#clusterReport = new ClusterReport({
      cluster: this.cluster,
      wallNow: Date.now,
      load: () => this.#load(),
      publicAddress,
    });
    const routerOf = (vhost: string): StreamRouter =>
      edgeSettings(this.#config, vhost) !== undefined
        ? edge
        : clusterPlaySettings(this.#config, vhost) !== undefined
        ? cluster
        : lone;
    this.runtime = new ServerRuntime({
      version: VERSION,
      processId: Deno.pid,
      findVhost: (name) => findVhost(this.#vhosts, name),
      limits: () => serverLimits(this.#config),
      router: new VhostRouter(routerOf),
      randomBytes,
      clock,
    });
    this.#keepers = new StreamKeepers(this.runtime.hub, clock);
    this.rtmp = new RtmpServer(this.runtime);
    this.view = new LiveServerView({
      serverId: nodeId,
      serviceId: bootId,
      pid: Deno.pid,
      version: VERSION,
      startedAtMs: Date.now(),
      server: this.rtmp,
      vhosts: () => Object.entries(this.#config.vhost).map(([name, { enabled }]) => [name, enabled] as const),
      readiness: () =>
        this.rtmp.isAccepting ? { isReady: true } : { isReady: false, reason: "not accepting connections" },
      cluster: () => this.#clusterTotals(),
      newId: () => this.runtime.newId(),
    });
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Listens everywhere, or nowhere.
   *
   * @throws {Error} When a port can't be had.
   */
  async start(): Promise<NodeAddresses> {
    try {
      const addresses = this.#listen();
      for (const [protocol, all] of Object.entries(addresses)) {
        for (const { hostname, port } of all) log.info("Listening", { protocol, hostname, port });
      }
      this.#applyClusterSettings(addresses);
      this.cluster.start();
      this.#sampleTimer = setInterval(() => this.view.sample(), SAMPLE_INTERVAL_MS);
      return addresses;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Takes a new configuration for what comes; connections that are there keep what they have. */
  reload(config: Config): void {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    if (this.#addresses !== undefined) this.#applyClusterSettings(this.#addresses);
  }

  /** Ends everything within the configured time. */
  async stop(): Promise<void> {
    clearInterval(this.#sampleTimer);
    this.cluster.stop();
    this.#keepers.close();
    await this.rtmp.stop(this.#config.grace_final_wait_ms);
    await Promise.all(this.#httpListeners.map((listener) => listener.close()));
  }

  #load(): NodeLoad {
    return { clients: this.rtmp.connectionCount, streams: this.runtime.hub.size };
  }

  #clusterTotals(): ServerTotals["cluster"] {
    let nodesUp = 1;
    let nodesDown = 0;
    for (const entry of this.cluster.listCoworkers()) {
      if ("coworker" in entry && entry.coworker.isUp === true) nodesUp++;
      else nodesDown++;
    }
    if (nodesUp + nodesDown === 1) return undefined;
    let pullRetriesTotal = this.#keepers.closedRetries;
    for (const [, pull] of this.#keepers.pulls()) pullRetriesTotal += pull.retries;
    return { nodesUp, nodesDown, pullRetriesTotal };
  }

  #applyClusterSettings(addresses: NodeAddresses): void {
    this.#addresses = addresses;
    this.cluster.reload(clusterSettings(this.#config, addresses.rtmp[0]?.port, addresses.httpApi[0]?.port));
  }

  #listen(): NodeAddresses {
    const { listen, http_api: api, http_server: server } = this.#config;
    const rtmp = listen.map((address) => this.rtmp.listen(address));
    const isShared = api.enabled && server.enabled && sharesPort(this.#config);
    const httpServer = server.enabled && !isShared
      ? this.#listenHttp(server.listen, this.#streamHandler())
      : [];
    const playersPort = isShared ? api.listen[0]?.port : httpServer[0]?.port;
    const httpApi = api.enabled ? this.#listenHttp(api.listen, this.#apiHandler(playersPort, isShared)) : [];
    return { rtmp, httpApi, httpServer: isShared ? httpApi : httpServer };
  }

  #listenHttp(addresses: readonly ListenAddress[], handler: HttpHandler): HttpListener[] {
    const onError = (error: unknown) => log.error("HTTP request failed", { error });
    const listeners = addresses.map((address) => listenHttp(address, handler, onError));
    this.#httpListeners.push(...listeners);
    return listeners;
  }

  #apiHandler(playersPort: number | undefined, isShared: boolean): HttpHandler {
    const { http_api: api, limits } = this.#config;
    const app = createApiApp({
      view: this.view,
      probe: new DenoSystemProbe(),
      now: Date.now,
      listen: api.listen[0]?.literal ?? "",
      crossdomain: api.crossdomain,
      ...(api.auth.enabled ? { auth: { username: api.auth.username, password: api.auth.password } } : {}),
      // Over HTTP only for those who gave a password; SIGHUP is for the others.
      rawApi: { enabled: api.auth.enabled, allowReload: api.auth.enabled },
      reload: this.#reload,
      ...(playersPort === undefined ? {} : { playersPort }),
      maxBodyBytes: limits.http_body_max_bytes,
      extraRoutes: (app) => {
        addClustersRoutes(app, this.#clusterReport);
        if (isShared) addStreamRoutes(app, this.#streamOptions());
      },
    });
    return appHandler(app);
  }

  #streamHandler(): HttpHandler {
    return appHandler(createStreamApp(this.#streamOptions()));
  }

  #streamOptions(): StreamAppOptions {
    return {
      source: new FlvServer(this.rtmp),
      // Whoever needs a password for the API should not see its list without one.
      ...(this.#config.http_api.auth.enabled ? {} : { view: this.view }),
      maxNameBytes: () => this.#config.limits.stream_key_max_bytes,
      crossdomain: this.#config.http_server.crossdomain,
      signature: SIGNATURE,
    };
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** An address of this machine that others may reach: the first that is not its own loop. */
function publicAddress(): string {
  const addresses = Deno.networkInterfaces().filter(({ address }) =>
    address !== "127.0.0.1" && address !== "::1"
  );
  return (addresses.find(({ family }) => family === "IPv4") ?? addresses[0])?.address ?? "127.0.0.1";
}
