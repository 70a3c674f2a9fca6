import { getLogger } from "@logtape/logtape";
import { Access, type AccessChecks } from "../access/access.ts";
import { HookEvents, Hooks } from "../access/hooks.ts";
import { inBackground } from "../base/background.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { RtmpError } from "../base/errors.ts";
import { randomId } from "../base/random_id.ts";
import { SteadyClock } from "../base/steady_clock.ts";
import { ClusterReport } from "../cluster/cluster_report.ts";
import type { Directory } from "../cluster/directory.ts";
import type { NodeLoad } from "../cluster/node_state.ts";
import type { Config } from "../config/config.ts";
import type { Readiness } from "../http/server_view.ts";
import { ConnectionLimits } from "../net/connection_limits.ts";
import { findDescriptors } from "../net/descriptors.ts";
import { Entrance } from "../net/entrance.ts";
import { HttpClient } from "../net/http_client.ts";
import { HttpPoster } from "../net/http_post.ts";
import type { SocketAddress } from "../net/tcp.ts";
import { RecordingRouter } from "../outputs/recording/recording_router.ts";
import { Recordings } from "../outputs/recording/recordings.ts";
import { CpuSampler } from "../http/metrics/cpu_sampler.ts";
import { DenoSystemProbe } from "./deno_system_probe.ts";
import { Drain } from "../server/drain.ts";
import { RtmpServer } from "../server/rtmp_server.ts";
import { ServerRuntime } from "../server/server_runtime.ts";
import { StreamRounds } from "../server/stream_rounds.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import {
  accessChecks,
  type AccessServices,
  hookClient,
  hookConnections,
  logAccess,
} from "./access_settings.ts";
import { Certificates } from "./certificates.ts";
import { DenoDisk } from "./deno_disk.ts";
import { Dialler } from "./dialler.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HttpApps } from "./http_apps.ts";
import { lostLogLines } from "./logging.ts";
import { LoopLag } from "./loop_lag.ts";
import { nodeCounts } from "./node_counts.ts";
import { NodeRouting } from "./node_routing.ts";
import { nodeStream } from "./node_streams.ts";
import { hasRole, type NodeSettings, nodeSettings } from "./node_settings.ts";
import type { Ports } from "./ports.ts";
import { publicAddress } from "./public_address.ts";
import { recordingControl } from "./recording_summary.ts";
import { ReloadCounts } from "./reload_counts.ts";
import { planReload } from "./reload.ts";
import { LiveServerView, SAMPLE_INTERVAL_MS } from "./live_server_view.ts";
import { findVhost, SIGNATURE } from "./settings.ts";
import { streamId } from "./stream_id.ts";
import { TokenKeySource } from "./token_key_source.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["headwater", "app"]);

/** A pause of the process that is worth a log line, in milliseconds. */
const LONG_PAUSE_MS = 2000;

/** How long a server that stops waits at least for hooks to be told who has left, in milliseconds. */
const LAST_HOOKS_MS = 500;

/** How long it waits at least for the disk to close recordings, in milliseconds. */
const LAST_FILES_MS = 1000;

/** A fourth of all clients may be on their way to TLS at a time, and at least so many. */
const MIN_UNAGREED = 64;

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
  readonly routing: NodeRouting;
  readonly drain: Drain;
  readonly recordings: Recordings;
  /** What came of reloads; who reads configurations counts. */
  readonly reloads: ReloadCounts = new ReloadCounts();
  readonly #loopLag = new LoopLag(SYSTEM_CLOCK);
  /** What all deadlines go by. */
  readonly #clock = new SteadyClock(SYSTEM_CLOCK, (pauseMs) => {
    if (pauseMs >= LONG_PAUSE_MS) {
      log.warn("Process was paused; client timeouts are extended", { pauseMs: Math.round(pauseMs) });
    }
  });
  readonly #reload: () => Promise<void>;
  readonly #clusterReport: ClusterReport;
  readonly #access: Access;
  #checks: AccessChecks;
  readonly #hookHttp = new HttpPoster();
  readonly #hooks: HookEvents;
  readonly #accessServices: AccessServices;
  readonly #keysHttp = new HttpClient();
  #settings: NodeSettings;
  readonly #connections: ConnectionLimits;
  readonly #entrance: Entrance;
  readonly #dialler: Dialler;
  #certificates: Certificates | undefined;
  #ports: Ports | undefined;
  #http: HttpApps | undefined;
  #heartbeat: Heartbeat | undefined;
  #sampleTimer: ReturnType<typeof setInterval> | undefined;
  readonly #cpu = new CpuSampler(new DenoSystemProbe(), Date.now());
  #historyTimer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param reload Reads the configuration anew and gives it to `reload`; what the HTTP API's reload calls.
   * @param unexpectedErrors How many there were so far.
   */
  constructor(
    config: Config,
    reload: () => Promise<void> = () => Promise.resolve(),
    unexpectedErrors: () => number = () => 0,
  ) {
    this.#settings = nodeSettings(config);
    this.#reload = reload;
    const clock = this.#clock;
    this.#connections = new ConnectionLimits(() => this.#settings.limits);
    this.#dialler = new Dialler({ clock, limits: this.#connections, config: () => this.config });
    const nodeId = config.server_id || `vid-${randomId(randomBytes, 7)}`;
    const bootId = randomId(randomBytes, 8);
    const hooks = hookClient(this.#hookHttp, clock);
    const node = { serverId: nodeId, serviceId: bootId, streamId: (key: string) => streamId(bootId, key) };
    this.#hooks = new HookEvents(hooks, node, clock);
    this.#accessServices = {
      hooks: this.#hooks,
      tokenKeys: new TokenKeySource({ fetch: this.#keysHttp.fetch, clock }),
    };
    this.#checks = accessChecks(config, this.#accessServices);
    this.#access = new Access(
      this.#checks,
      (...end) => this.#hooks.closed(...end),
    );
    const streams = new StreamRounds(clock);
    this.routing = new NodeRouting({
      identity: { nodeId, bootId, version: VERSION },
      settings: this.#settings,
      streams,
      access: this.#access,
      hooks,
      dial: (address, timeoutMs) => this.#dialler.dial(address, timeoutMs),
      clock,
      randomBytes,
      isSelf: (server) => this.#isSelf(server),
    });
    const { cluster, forwards, router, traffic } = this.routing;
    this.recordings = new Recordings({
      settings: this.#settings.recordings,
      disk: new DenoDisk(),
      clock,
      newId: () => randomId(randomBytes, 7),
      holdDescriptor: () => this.#connections.hold(),
      onFile: (request, file) => this.#tellOfFile(request, file),
    });
    this.#clusterReport = new ClusterReport({
      cluster,
      wallNow: Date.now,
      load: () => this.#load(),
      streams: () =>
        Array.from(this.view.streams(), (stream) => {
          const { clientId } = stream.publish;
          return nodeStream(stream, clientId === undefined ? undefined : this.view.client(clientId));
        }),
      publicAddress,
    });
    this.runtime = new ServerRuntime({
      version: VERSION,
      processId: Deno.pid,
      findVhost: (name) => findVhost(this.#settings.vhosts, name),
      limits: () => this.#settings.limits,
      access: this.#access,
      router: new RecordingRouter(router, this.recordings),
      streams,
      randomBytes,
      clock,
    });
    this.#entrance = new Entrance({
      clock,
      limits: this.#connections,
      isTrustedProxy: (ip) => this.#settings.trustedProxies.has(ip),
      maxUnagreed: () => Math.max(MIN_UNAGREED, Math.floor(this.#settings.limits.maxConnections / 4)),
      onTlsFull: (count) =>
        log.warn("TLS ports accept nobody: too many clients never began with TLS and are still connected", {
          count,
        }),
      handshakeTimeoutMs: () => this.#settings.limits.handshakeTimeoutMs,
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
      hasVhost: (name) => Object.hasOwn(this.config.vhost, name),
      vhosts: () => Object.entries(this.config.vhost).map(([name, { enabled }]) => [name, enabled] as const),
      readiness: () => this.#readiness(),
      drain: () => this.drain.report,
      forwards,
      cluster: () => this.routing.totals,
      access: () => ({
        refusedTotal: this.#access.refusals.samples,
        hookCallsTotal: this.#hooks.calls.samples,
      }),
      certificates: () => this.#certificates?.expiries() ?? [],
      faults: () => ({ unexpectedErrorsTotal: unexpectedErrors(), logLinesLostTotal: lostLogLines() }),
      newId: () => this.runtime.newId(),
    });
  }

  get config(): Config {
    return this.#settings.config;
  }

  get cluster(): Directory {
    return this.routing.cluster;
  }

  /** Serves who comes to the ports, until `stop`, which closes them. */
  async start(ports: Ports): Promise<void> {
    this.#ports = ports;
    this.#clock.start();
    this.#loopLag.start();
    for (const listener of ports.rtmp) this.rtmp.serve(listener);
    this.routing.setAddresses(ports.addresses);
    this.cluster.start();
    this.#sampleTimer = setInterval(() => this.view.sample(), SAMPLE_INTERVAL_MS);
    this.#historyTimer = setInterval(() => this.view.sampleHistory(Date.now()), 1000);
    // Hono, the API and the pages are a quarter of the program, which encoders need not wait for.
    const { serveHttp } = await import("./http_apps.ts");
    this.#http = serveHttp({
      config: () => this.config,
      rtmp: this.rtmp,
      view: this.view,
      recordings: recordingControl(this.recordings),
      counts: () =>
        nodeCounts({
          server: this.rtmp,
          routing: this.routing,
          recordings: this.recordings,
          hooks: this.#hooks,
          connections: this.#connections,
          loopLag: this.#loopLag,
          reloads: this.reloads,
        }),
      clusterReport: this.#clusterReport,
      reload: this.#reload,
      drain: this,
      entrance: this.#entrance,
      clock: this.#clock,
    }, ports);
    this.#certificates = new Certificates({
      clock: this.#clock,
      wallNow: Date.now,
      config: () => this.config,
      served: ports.certificates,
    });
    this.#certificates.start();
    await this.#startHeartbeat(ports);
    this.#accessServices.tokenKeys.prepare();
    this.#findDescriptors();
    logAccess(this.config);
  }

  /**
   * Takes a new configuration for what comes; connections that are there keep what they have.
   *
   * @returns The keys that have another value and that only a restart can change; they keep the old one.
   */
  reload(wanted: Config): string[] {
    const { config, needRestart } = planReload(this.config, wanted);
    const settings = nodeSettings(config);
    // Reads files, so that it may fail: before anything is changed.
    const checks = accessChecks(config, this.#accessServices);
    this.#settings = settings;
    this.#checks = checks;
    this.#access.reload(checks);
    this.recordings.reload(settings.recordings);
    this.#accessServices.tokenKeys.prepare();
    logAccess(config);
    this.routing.reload(this.#settings, this.#ports?.addresses);
    this.#findDescriptors();
    this.#http?.reload();
    if (this.#ports !== undefined) inBackground(this.#startHeartbeat(this.#ports), "heartbeat");
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
  beginDrain(graceMs: number = this.config.grace_s * 1000): Promise<void> {
    return this.drain.begin({ startWaitMs: this.config.grace_start_wait_ms, graceMs });
  }

  /** Ends everything within the configured time. */
  async stop(): Promise<void> {
    clearInterval(this.#sampleTimer);
    clearInterval(this.#historyTimer);
    const deadlineMs = this.#clock.now() + this.config.grace_final_wait_ms;
    // Nobody is to be sent here meanwhile, which coworkers are told as long as there is time.
    this.#setDraining(true);
    this.#certificates?.stop();
    this.#heartbeat?.stop();
    this.#loopLag.stop();
    this.routing.stop();
    await this.rtmp.stop(this.config.grace_final_wait_ms);
    this.routing.forwards.close();
    await this.recordings.finish(Math.max(LAST_FILES_MS, deadlineMs - this.#clock.now()));
    await this.#http?.close();
    this.#ports?.close();
    await this.#hooks.finish(Math.max(LAST_HOOKS_MS, deadlineMs - this.#clock.now()));
    this.#hookHttp.close();
    this.#keysHttp.close();
    this.#clock.stop();
  }

  /** Loaded only where it is wanted. */
  async #startHeartbeat({ addresses }: Ports): Promise<void> {
    if (this.#heartbeat === undefined && this.config.heartbeat.enabled) {
      const { newHeartbeat } = await import("./node_heartbeat.ts");
      this.#heartbeat ??= newHeartbeat({
        view: this.view,
        config: () => this.config,
        addresses,
        http: this.#hookHttp,
        clock: this.#clock,
      });
    }
    this.#heartbeat?.start();
  }

  #setDraining(isDraining: boolean): void {
    this.runtime.isDraining = isDraining;
    this.cluster.setDraining(isDraining);
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

  /** Lets no more clients in than there are descriptors for, each of whom may need another one to another server, and one for a file. */
  #findDescriptors(): void {
    const { max_connections: wanted } = this.config;
    const settings = this.#settings;
    const mayDial = hasRole(settings, "cluster") || hasRole(settings, "edge") || settings.forwards.size > 0;
    const records = settings.recordings.values().some(({ isEnabled }) => isEnabled);
    const each = 1 + (mayDial ? 1 : 0) + (records ? 1 : 0);
    const free = findDescriptors(wanted * each + hookConnections(this.config));
    this.#connections.setFreeDescriptors(free);
    if (free === Infinity) return;
    log.warn("Fewer connections than configured: the open file limit is too low (ulimit -n)", {
      configured: wanted,
      descriptors: free,
    });
  }

  #tellOfFile({ address, vhost, key, ip, client }: StreamRequest, file: string): void {
    const hooks = this.#checks.get(vhost.name)?.find((check) => check instanceof Hooks);
    hooks?.recorded({
      ...client,
      ip,
      vhost: vhost.name,
      app: address.app,
      stream: address.stream,
      streamKey: key,
      parameters: address.parameters,
    }, { cwd: Deno.cwd(), file });
  }

  /** Whether a server that has answered a connect of ours is this one: it says the id of the connection that it has taken. */
  #isSelf(server: Amf0Object): boolean {
    return server.getString("srs_server") === SIGNATURE &&
      this.rtmp.clients.find(server.getString("srs_id") ?? "") !== undefined;
  }

  #load(): NodeLoad {
    return {
      clients: this.rtmp.clients.size,
      streams: this.runtime.hub.size,
      cpuPercent: Math.round(this.#cpu.sample(Date.now()).processShare * 1000) / 10,
      kbps: this.view.sentKbps,
    };
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
