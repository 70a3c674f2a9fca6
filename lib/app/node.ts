import { getLogger } from "@logtape/logtape";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { createApiApp } from "../http/api/api_app.ts";
import { type HttpHandler, type HttpListener, listenHttp } from "../http/http_listener.ts";
import { dialTcp, type SocketAddress } from "../net/tcp.ts";
import { EdgeRouter } from "../server/edge_router.ts";
import { StreamKeepers } from "../server/stream_keepers.ts";
import { VhostRouter } from "../server/vhost_router.ts";
import { RtmpServer } from "../server/rtmp_server.ts";
import { ServerRuntime } from "../server/server_runtime.ts";
import { loneOrigin } from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config } from "./config.ts";
import { sharesPort } from "./config_checks.ts";
import type { ListenAddress } from "./listen_address.ts";
import { LiveServerView, SAMPLE_INTERVAL_MS } from "./server_view.ts";
import { edgeSettings, findVhost, serverLimits, SIGNATURE, vhostSettings } from "./settings.ts";
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
  readonly #reload: () => Promise<void>;
  readonly #keepers: StreamKeepers;
  readonly #httpListeners: HttpListener[] = [];
  #config: Config;
  #vhosts: ReadonlyMap<string, VhostSettings>;
  #sampleTimer: ReturnType<typeof setInterval> | undefined;

  /** @param reload Reads the configuration anew and gives it to `reload`; what the HTTP API's reload calls. */
  constructor(config: Config, reload: () => Promise<void> = () => Promise.resolve()) {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    this.#reload = reload;
    const clock = SYSTEM_CLOCK;
    const identity = { nodeId: newNodeId(), signature: SIGNATURE, version: VERSION, processId: Deno.pid };
    const edge = new EdgeRouter({
      runtime: () => this.runtime,
      keepers: () => this.#keepers,
      settings: (vhost) => edgeSettings(this.#config, vhost),
      identity,
      dial: dialTcp,
      clock,
    });
    const lone = loneOrigin((key) => this.runtime.hub.get(key)?.feed !== undefined);
    this.runtime = new ServerRuntime({
      version: VERSION,
      processId: Deno.pid,
      findVhost: (name) => findVhost(this.#vhosts, name),
      limits: () => serverLimits(this.#config),
      router: new VhostRouter((vhost) => this.#config.vhost[vhost]?.cluster.mode === "remote" ? edge : lone),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      clock,
    });
    this.#keepers = new StreamKeepers(this.runtime.hub, clock);
    this.rtmp = new RtmpServer(this.runtime);
    this.view = new LiveServerView({
      serverId: config.server_id || `vid-${this.runtime.newId().slice(0, 7)}`,
      serviceId: this.runtime.newId(),
      pid: Deno.pid,
      version: VERSION,
      startedAtMs: Date.now(),
      server: this.rtmp,
      vhosts: () => Object.entries(this.#config.vhost).map(([name, { enabled }]) => [name, enabled] as const),
      readiness: () =>
        this.rtmp.isAccepting ? { isReady: true } : { isReady: false, reason: "not accepting connections" },
      cluster: () => undefined,
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
  }

  /** Ends everything within the configured time. */
  async stop(): Promise<void> {
    clearInterval(this.#sampleTimer);
    this.#keepers.close();
    await this.rtmp.stop(this.#config.grace_final_wait_ms);
    await Promise.all(this.#httpListeners.map((listener) => listener.close()));
  }

  #listen(): NodeAddresses {
    const { listen, http_api: api, http_server: server } = this.#config;
    const rtmp = listen.map((address) => this.rtmp.listen(socketAddress(address)));
    const isShared = api.enabled && server.enabled && sharesPort(this.#config);
    const httpServer = server.enabled && !isShared
      ? this.#listenHttp(server.listen, this.#streamHandler())
      : [];
    const playersPort = isShared ? undefined : httpServer[0]?.port;
    const httpApi = api.enabled ? this.#listenHttp(api.listen, this.#apiHandler(playersPort)) : [];
    return { rtmp, httpApi, httpServer: isShared ? httpApi : httpServer };
  }

  #listenHttp(addresses: readonly ListenAddress[], handler: HttpHandler): HttpListener[] {
    const onError = (error: unknown) => log.error("HTTP request failed", { error });
    const listeners = addresses.map((address) => listenHttp(socketAddress(address), handler, onError));
    this.#httpListeners.push(...listeners);
    return listeners;
  }

  #apiHandler(playersPort: number | undefined): HttpHandler {
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
    });
    return (request) => app.fetch(request);
  }

  #streamHandler(): HttpHandler {
    return () => new Response("Not Found", { status: 404 });
  }
}

/** Every address of the machine is IPv4's wildcard. */
export function socketAddress(address: ListenAddress): SocketAddress {
  return { hostname: address.hostname ?? "0.0.0.0", port: address.port };
}

/** Names this process among the nodes of a cluster. */
function newNodeId(): string {
  return crypto.randomUUID();
}
