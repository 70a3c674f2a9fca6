import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import { type RtmpError } from "../base/errors.ts";
import { AddressSet } from "../base/ip_address.ts";
import { randomId } from "../base/random_id.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { SteadyClock } from "../base/steady_clock.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { Directory } from "../cluster/directory.ts";
import { ClusterReport } from "../cluster/cluster_report.ts";
import type { NodeLoad } from "../cluster/node_state.ts";
import type { Readiness, ServerTotals } from "../http/server_view.ts";
import { ConnectionLimits } from "../net/connection_limits.ts";
import { signVouch } from "../base/node_vouch.ts";
import type { AccessAction } from "../access/access_request.ts";
import type { UpstreamSession } from "../upstream/upstream_connection.ts";
import { Access } from "../access/access.ts";
import { Entrance } from "../net/entrance.ts";
import { HttpPoster } from "../net/http_post.ts";
import type { HookCallSettings } from "../access/hook_client.ts";
import { HookEvents } from "../access/hooks.ts";
import { streamId } from "./stream_id.ts";
import {
  accessChecks,
  type AccessServices,
  hookCallSettings,
  hookClient,
  hookConnections,
  logAccess,
} from "./access_settings.ts";
import { TokenKeySource } from "./token_key_source.ts";
import { findDescriptors } from "../net/descriptors.ts";
import type { DialAddress, SocketAddress } from "../net/tcp.ts";
import { HttpClient } from "../net/http_client.ts";
import { resolveHost } from "../net/resolve_host.ts";
import { ClusterRouter } from "../routing/cluster_router.ts";
import { EdgeRouter } from "../routing/edge_router.ts";
import { loneOrigin } from "../routing/lone_router.ts";
import { SharedPulls } from "../routing/shared_pulls.ts";
import { VhostRouter } from "../routing/vhost_router.ts";
import { routeOf, upstreamArguments } from "../routing/upstream_identity.ts";
import { askForwardBackend } from "../forward/forward_backend.ts";
import { ForwardingRouter } from "../forward/forwarding_router.ts";
import { Forwards } from "../forward/forwards.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import { Drain } from "../server/drain.ts";
import { RtmpServer } from "../server/rtmp_server.ts";
import { ServerRuntime } from "../server/server_runtime.ts";
import type { VhostRole } from "../server/vhost_role.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config } from "../config/config.ts";
import { TrafficByVhost } from "../base/upstream_traffic.ts";
import { StreamRounds } from "../server/stream_rounds.ts";
import { Certificates } from "./certificates.ts";
import { Dialler } from "./dialler.ts";
import type { HttpApps } from "./http_apps.ts";
import { lostLogLines } from "./logging.ts";
import type { NodeAddresses, Ports } from "./ports.ts";
import { publicAddress } from "./public_address.ts";
import { planReload } from "./reload.ts";
import { LiveServerView, SAMPLE_INTERVAL_MS } from "./server_view.ts";
import {
  clusterSettings,
  findVhost,
  forwardSettings,
  serverLimits,
  SIGNATURE,
  vhostSettings,
} from "./settings.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["headwater", "app"]);

/** A pause of the process that is worth a log line, in milliseconds. */
const LONG_PAUSE_MS = 2000;

/** How long a server that stops waits for hooks to be told who has left, in milliseconds. */
const LAST_HOOKS_MS = 2000;

/** How connections end that never said anything. */
const QUIET_FAILURES: ReadonlySet<RtmpError["code"]> = new Set([
  "connection-lost",
  "handshake-timeout",
  "shutting-down",
]);

/** One server, put together from a configuration: the only place that knows all parts. */
export class Node {
  readonly runtime: ServerRuntime;
  readonly rtmp: RtmpServer;
  readonly view: LiveServerView;
  readonly cluster: Directory;
  readonly drain: Drain;
  /** What all deadlines go by. */
  readonly #clock = new SteadyClock(SYSTEM_CLOCK, (pauseMs) => {
    if (pauseMs >= LONG_PAUSE_MS) {
      log.warn("Process was paused; client timeouts are extended", { pauseMs: Math.round(pauseMs) });
    }
  });
  readonly #reload: () => Promise<void>;
  readonly #pulls: SharedPulls;
  readonly #edge: EdgeRouter;
  readonly #coworkerHttp = new HttpClient();
  readonly #clusterReport: ClusterReport;
  readonly #access: Access;
  readonly #hookHttp = new HttpPoster();
  readonly #hooks: HookEvents;
  readonly #accessServices: AccessServices;
  readonly #keysHttp = new HttpClient();
  #config: Config;
  #vhosts: ReadonlyMap<string, VhostSettings>;
  readonly #connections: ConnectionLimits;
  readonly #forwards: Forwards;
  readonly #entrance: Entrance;
  readonly #dialler: Dialler;
  #trustedProxies: AddressSet;
  #certificates: Certificates | undefined;
  #ports: Ports | undefined;
  #http: HttpApps | undefined;
  #sampleTimer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param reload Reads the configuration anew and gives it to `reload`; what the HTTP API's reload calls.
   * @param unexpectedErrors How many there were so far.
   */
  constructor(
    config: Config,
    reload: () => Promise<void> = () => Promise.resolve(),
    unexpectedErrors: () => number = () => 0,
  ) {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    this.#trustedProxies = new AddressSet(config.trusted_proxies);
    this.#reload = reload;
    const clock = this.#clock;
    this.#connections = new ConnectionLimits(() => serverLimits(this.#config));
    this.#dialler = new Dialler({ clock, limits: this.#connections, config: () => this.#config });
    const nodeId = config.server_id || `vid-${randomId(randomBytes, 7)}`;
    const bootId = randomId(randomBytes, 8);
    const hooks = hookClient(this.#hookHttp, clock);
    const node = { serverId: nodeId, serviceId: bootId, streamId: (key: string) => streamId(bootId, key) };
    this.#hooks = new HookEvents(hooks, node, clock);
    this.#accessServices = {
      hooks: this.#hooks,
      tokenKeys: new TokenKeySource({ fetch: this.#keysHttp.fetch, clock }),
    };
    this.#access = new Access(
      accessChecks(config, this.#accessServices),
      (...end) => this.#hooks.closed(...end),
    );
    const streams = new StreamRounds(clock);
    this.#pulls = new SharedPulls(streams.hub, clock, Math.random);
    this.cluster = new Cluster({
      identity: { nodeId, bootId, version: VERSION },
      settings: clusterSettings(config, this.#vhosts, undefined, undefined),
      fetch: this.#coworkerHttp.fetch,
      resolveHost,
      clock,
      wallNow: Date.now,
      random: Math.random,
      nonce: () => crypto.randomUUID().replaceAll("-", ""),
      onHeard: (key) => {
        this.#pulls.wake(key);
        cluster.hear(key);
      },
      onLost: (stream, reason) => cluster.lose(stream, reason),
    });
    const traffic = new TrafficByVhost();
    const upstream = {
      streams,
      pulls: this.#pulls,
      identity: { nodeId, signature: SIGNATURE, version: VERSION, processId: Deno.pid },
      dial: (address: DialAddress, timeoutMs: number) => this.#dialler.dial(address, timeoutMs),
      clock,
      limits: () => serverLimits(this.#config).wire,
      randomBytes,
      traffic,
      vouch: (vhost: string, action: AccessAction) => this.#vouch(vhost, action),
    };
    this.#edge = new EdgeRouter(upstream);
    const cluster = new ClusterRouter({ ...upstream, cluster: this.cluster });
    const lone = loneOrigin(streams.hub, (...request) => cluster.admitPublish(...request));
    this.#clusterReport = new ClusterReport({
      cluster: this.cluster,
      wallNow: Date.now,
      load: () => this.#load(),
      publicAddress,
    });
    const backend = { call: hooks.call.bind(hooks), serverId: nodeId, serviceId: bootId };
    this.#forwards = new Forwards({
      settings: (vhost) => forwardSettings(this.#config, vhost),
      dial: {
        rtmp: upstream.dial,
        rtmps: (address, timeoutMs) => upstream.dial({ ...address, isSecure: true }, timeoutMs),
      },
      argumentsObject: ({ connect }, debug) =>
        upstreamArguments(upstream.identity, [...routeOf(connect), nodeId], debug),
      session: () => ({ limits: upstream.limits(), randomBytes }),
      clock,
      random: Math.random,
      wallNow: Date.now,
      traffic,
      onBehind: (stream, cursor) => streams.scheduler(stream.options.gatherMs).markDirty(cursor.output),
      isSelf: (server) => this.#isSelf(server),
      askBackend: async (url, question) =>
        await askForwardBackend(backend, url, question, this.#hookCallSettings(question.vhost)),
    });
    this.runtime = new ServerRuntime({
      version: VERSION,
      processId: Deno.pid,
      findVhost: (name) => findVhost(this.#vhosts, name),
      limits: () => serverLimits(this.#config),
      access: this.#access,
      router: new ForwardingRouter(new VhostRouter({ lone, cluster, edge: this.#edge }), this.#forwards),
      streams,
      randomBytes,
      clock,
    });
    this.#entrance = new Entrance({
      clock,
      limits: this.#connections,
      isTrustedProxy: (ip) => this.#trustedProxies.has(ip),
      onFailed: (error, peer, local) => this.#noteFailedEntry(error, peer, local),
    });
    this.rtmp = new RtmpServer(this.runtime, this.#entrance);
    this.drain = new Drain({
      clients: this.rtmp.clients,
      clock,
      wallNow: Date.now,
      log: this.runtime.log,
      onDraining: (isDraining) => this.#setDraining(isDraining),
    });
    this.view = new LiveServerView({
      serverId: nodeId,
      serviceId: bootId,
      pid: Deno.pid,
      version: VERSION,
      startedAtMs: Date.now(),
      server: this.rtmp,
      upstreamTraffic: traffic,
      hasVhost: (name) => Object.hasOwn(this.#config.vhost, name),
      vhosts: () => Object.entries(this.#config.vhost).map(([name, { enabled }]) => [name, enabled] as const),
      readiness: () => this.#readiness(),
      drain: () => this.drain.report,
      forwards: this.#forwards,
      cluster: () => this.#clusterTotals(),
      certificates: () => this.#certificates?.expiries() ?? [],
      faults: () => ({ unexpectedErrorsTotal: unexpectedErrors(), logLinesLostTotal: lostLogLines() }),
      newId: () => this.runtime.newId(),
    });
  }

  get config(): Config {
    return this.#config;
  }

  /** Serves who comes to the ports, until `stop`, which closes them. */
  async start(ports: Ports): Promise<void> {
    this.#ports = ports;
    this.#clock.start();
    for (const listener of ports.rtmp) this.rtmp.serve(listener);
    this.#applyClusterSettings(ports.addresses);
    this.cluster.start();
    this.#sampleTimer = setInterval(() => this.view.sample(), SAMPLE_INTERVAL_MS);
    // Hono, the API and the pages are a quarter of the program, which encoders need not wait for.
    const { serveHttp } = await import("./http_apps.ts");
    this.#http = serveHttp({
      config: () => this.#config,
      rtmp: this.rtmp,
      view: this.view,
      clusterReport: this.#clusterReport,
      reload: this.#reload,
      drain: this,
      entrance: this.#entrance,
      clock: this.#clock,
    }, ports);
    this.#certificates = new Certificates({
      clock: this.#clock,
      wallNow: Date.now,
      config: () => this.#config,
      served: ports.certificates,
    });
    this.#certificates.start();
    this.#findDescriptors();
    logAccess(this.#config);
  }

  /**
   * Takes a new configuration for what comes; connections that are there keep what they have.
   *
   * @returns The keys that have another value and that only a restart can change; they keep the old one.
   */
  reload(wanted: Config): string[] {
    const { config, needRestart } = planReload(this.#config, wanted);
    // Reads files, so that it may fail: before anything is changed.
    const checks = accessChecks(config, this.#accessServices);
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    this.#access.reload(checks);
    logAccess(config);
    this.#edge.reload(this.#vhosts.values());
    this.#findDescriptors();
    this.#forwards.reload();
    if (this.#ports !== undefined) this.#applyClusterSettings(this.#ports.addresses);
    this.#http?.reload();
    this.#trustedProxies = new AddressSet(config.trusted_proxies);
    if (this.#certificates !== undefined) inBackground(this.#certificates.reload(), "reading certificates");
    return needRestart;
  }

  /** Takes the server back into service. */
  cancelDrain(): void {
    this.drain.cancel();
  }

  /**
   * Takes the server out of service: resolves when no client is left. It stays there, and can be taken back into service.
   *
   * @param graceMs How long clients may stay; absent: as configured.
   */
  beginDrain(graceMs: number = this.#config.grace_s * 1000): Promise<void> {
    return this.drain.begin({ startWaitMs: this.#config.grace_start_wait_ms, graceMs });
  }

  /** Ends everything within the configured time. */
  async stop(): Promise<void> {
    clearInterval(this.#sampleTimer);
    // Nobody is to be sent here meanwhile, which coworkers are told as long as there is time.
    this.#setDraining(true);
    this.#certificates?.stop();
    this.cluster.stop();
    this.#coworkerHttp.close();
    this.#pulls.close();
    await this.rtmp.stop(this.#config.grace_final_wait_ms);
    this.#forwards.close();
    await this.#http?.server.close();
    this.#ports?.close();
    await this.#hooks.finish(LAST_HOOKS_MS);
    this.#hookHttp.close();
    this.#keysHttp.close();
    this.#clock.stop();
  }

  #setDraining(isDraining: boolean): void {
    this.runtime.isDraining = isDraining;
    this.cluster.setDraining(isDraining);
  }

  #hookCallSettings(vhost: string): HookCallSettings {
    const hooks = this.#config.vhost[vhost]?.http_hooks;
    return hooks === undefined ? { timeoutMs: 1, tls: { isUnverified: false } } : hookCallSettings(hooks);
  }

  /** What this node says to others of its clients; nothing where they would not believe it, or it has checked nothing. */
  #vouch(vhost: string, action: AccessAction): UpstreamSession["vouch"] {
    const secret = this.#vhosts.get(vhost)?.clusterSecret ?? "";
    const checks = this.#access.vouchedFor(vhost, action);
    if (secret === "" || checks.length === 0) return undefined;
    return (challenge) => ({ headwater_vouch: signVouch(secret, challenge, { action, checks }) });
  }

  #readiness(): Readiness {
    if (!this.rtmp.isAccepting) return { isReady: false, reason: "not accepting connections" };
    const { state } = this.drain;
    return state === "off" ? { isReady: true } : { isReady: false, reason: "draining" };
  }

  /** One line for a client that can't get in for a reason that somebody can do something about. */
  #noteFailedEntry(error: RtmpError, peer: SocketAddress, local: SocketAddress): void {
    // A port scan or a health check that says nothing is no event.
    const isQuiet = QUIET_FAILURES.has(error.code);
    if (!isQuiet) this.runtime.countError(error.code);
    log[isQuiet ? "debug" : "info"]("Connection failed before its first word", {
      peer: `${peer.hostname}:${peer.port}`,
      port: local.port,
      reason: error.code,
      detail: error.message,
    });
  }

  /** Lets no more clients in than there are descriptors for, each of whom may need another one to another server. */
  #findDescriptors(): void {
    const { max_connections: wanted } = this.#config;
    const mayDial = this.#hasRole("cluster") || this.#hasRole("edge") ||
      Object.values(this.#config.vhost).some(({ forward }) => forward.enabled);
    const free = findDescriptors(wanted * (mayDial ? 2 : 1) + hookConnections(this.#config));
    this.#connections.setFreeDescriptors(free);
    if (free === Infinity) return;
    log.warn("Fewer connections than configured: the open file limit is too low (ulimit -n)", {
      configured: wanted,
      descriptors: free,
    });
  }

  #hasRole(kind: VhostRole["kind"]): boolean {
    return this.#vhosts.values().some(({ role }) => role.kind === kind);
  }

  /** Whether a server that has answered a connect of ours is this one: it says the id of the connection that it has taken. */
  #isSelf(server: Amf0Object): boolean {
    return server.getString("srs_server") === SIGNATURE &&
      this.rtmp.clients.find(server.getString("srs_id") ?? "") !== undefined;
  }

  #load(): NodeLoad {
    return { clients: this.rtmp.clients.size, streams: this.runtime.hub.size };
  }

  #clusterTotals(): ServerTotals["cluster"] {
    let nodesUp = 0;
    let nodesDown = 0;
    const boots = new Set([this.cluster.identity.bootId]);
    for (const entry of this.cluster.listCoworkers()) {
      if ("error" in entry || entry.coworker.isUp !== true) {
        nodesDown++;
        continue;
      }
      // This node among its own coworkers, and one that goes by several names.
      const bootId = entry.coworker.node?.bootId;
      if (bootId !== undefined && boots.has(bootId)) continue;
      if (bootId !== undefined) boots.add(bootId);
      nodesUp++;
    }
    if (nodesUp + nodesDown === 0 && !this.#hasRole("edge")) return undefined;
    let pullRetriesTotal = this.#pulls.closedRetries;
    for (const [, pull] of this.#pulls.pulls()) pullRetriesTotal += pull.retries;
    return { nodesUp, nodesDown, pullRetriesTotal };
  }

  #applyClusterSettings(addresses: NodeAddresses): void {
    this.cluster.reload(
      clusterSettings(this.#config, this.#vhosts, addresses.rtmp[0]?.port, addresses.httpApi[0]?.port),
    );
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
