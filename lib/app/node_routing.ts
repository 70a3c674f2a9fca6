import type { Access } from "../access/access.ts";
import type { AccessAction } from "../access/access_request.ts";
import type { HookClient } from "../access/hook_client.ts";
import type { Clock } from "../base/clock.ts";
import { signVouch } from "../base/node_vouch.ts";
import { TrafficByVhost } from "../base/upstream_traffic.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { Directory } from "../cluster/directory.ts";
import type { NodeIdentity } from "../cluster/node_state.ts";
import { askForwardBackend } from "../forward/forward_backend.ts";
import { ForwardingRouter } from "../forward/forwarding_router.ts";
import { Forwards } from "../forward/forwards.ts";
import type { NodeCounts } from "../http/metrics/node_counts.ts";
import type { ServerTotals } from "../http/server_view.ts";
import { HttpClient } from "../net/http_client.ts";
import { resolveHost } from "../net/resolve_host.ts";
import { ClusterRouter } from "../routing/cluster_router.ts";
import { EdgeRouter } from "../routing/edge_router.ts";
import { loneOrigin } from "../routing/lone_router.ts";
import { SharedPulls } from "../routing/shared_pulls.ts";
import { routeOf, upstreamArguments } from "../routing/upstream_identity.ts";
import type { UpstreamRouterOptions } from "../routing/shared_pull.ts";
import { VhostRouter } from "../routing/vhost_router.ts";
import type { StreamRounds } from "../server/stream_rounds.ts";
import type { StreamRouter } from "../server/stream_router.ts";
import type { Dial, UpstreamSession } from "../upstream/upstream_connection.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import { hasRole, type NodeSettings } from "./node_settings.ts";
import type { NodeAddresses } from "./ports.ts";
import { clusterSettings, SIGNATURE } from "./settings.ts";

export interface NodeRoutingOptions {
  readonly identity: NodeIdentity;
  readonly settings: NodeSettings;
  readonly streams: StreamRounds;
  readonly access: Access;
  readonly hooks: HookClient;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Whether a server that has answered a connect of ours is this one. */
  readonly isSelf: (server: Amf0Object) => boolean;
}

/** Where requests of a node go, put together: its cluster, the routers of each role, the pulls and forwards that these begin. */
export class NodeRouting {
  readonly router: StreamRouter;
  readonly cluster: Directory;
  readonly forwards: Forwards;
  /** What is received from and sent to other servers. */
  readonly traffic: TrafficByVhost = new TrafficByVhost();
  readonly #options: NodeRoutingOptions;
  readonly #pulls: SharedPulls;
  readonly #edge: EdgeRouter;
  readonly #cluster: ClusterRouter;
  readonly #coworkerHttp = new HttpClient();
  #settings: NodeSettings;
  #conflicts = 0;

  constructor(options: NodeRoutingOptions) {
    const { identity, settings, streams, clock, randomBytes, dial } = options;
    this.#options = options;
    this.#settings = settings;
    this.#pulls = new SharedPulls(streams.hub, clock, Math.random);
    this.cluster = new Cluster({
      identity,
      settings: clusterSettings(settings.config, settings.vhosts, undefined, undefined),
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
      onLost: (stream, reason) => {
        this.#conflicts++;
        cluster.lose(stream, reason);
      },
    });
    const upstream: UpstreamRouterOptions = {
      streams,
      pulls: this.#pulls,
      identity: {
        nodeId: identity.nodeId,
        signature: SIGNATURE,
        version: identity.version,
        processId: Deno.pid,
      },
      dial,
      clock,
      limits: () => this.#settings.limits.wire,
      randomBytes,
      traffic: this.traffic,
      vouch: (vhost, action) => this.#vouch(vhost, action),
    };
    this.#edge = new EdgeRouter(upstream);
    const cluster = new ClusterRouter({ ...upstream, cluster: this.cluster });
    this.#cluster = cluster;
    const lone = loneOrigin(streams.hub, (...request) => cluster.admitPublish(...request));
    this.forwards = this.#createForwards(upstream);
    const byRole = new VhostRouter({ lone, cluster, edge: this.#edge });
    this.router = new ForwardingRouter(byRole, this.forwards);
  }

  /** Takes new settings, for what comes and for what has begun. */
  reload(settings: NodeSettings, addresses: NodeAddresses | undefined): void {
    this.#settings = settings;
    this.#edge.reload(settings.vhosts.values());
    this.forwards.reload(settings.forwards);
    if (addresses !== undefined) this.setAddresses(addresses);
  }

  /** Takes the ports that are really listened on. */
  setAddresses({ rtmp, httpApi }: NodeAddresses): void {
    const { config, vhosts } = this.#settings;
    this.cluster.reload(clusterSettings(config, vhosts, rtmp[0]?.port, httpApi[0]?.port));
  }

  /** Ends what was begun at other servers; forwards go on until their publishers have left. */
  stop(): void {
    this.cluster.stop();
    this.#coworkerHttp.close();
    this.#pulls.close();
  }

  /** For the metrics; undefined for a node that knows no other. */
  get totals(): ServerTotals["cluster"] {
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
    if (nodesUp + nodesDown === 0 && !hasRole(this.#settings, "edge")) return undefined;
    let pullRetriesTotal = this.#pulls.closedRetries;
    for (const [, pull] of this.#pulls.pulls()) pullRetriesTotal += pull.retries;
    return { nodesUp, nodesDown, pullRetriesTotal };
  }

  /** More for the metrics. */
  get counts(): Pick<
    NodeCounts,
    "pullsByState" | "publishConflictsTotal" | "locateSeconds" | "coworkerRoundTripSeconds"
  > {
    const pullsByState = { feeding: 0, searching: 0 };
    for (const [, { upstream }] of this.#pulls.pulls()) {
      pullsByState[upstream === undefined ? "searching" : "feeding"]++;
    }
    let slowestMs: number | undefined;
    for (const entry of this.cluster.listCoworkers()) {
      if ("error" in entry || entry.coworker.isUp !== true) continue;
      const { kind, roundTripMs } = entry.coworker;
      if (kind !== "self" && roundTripMs !== undefined) slowestMs = Math.max(slowestMs ?? 0, roundTripMs);
    }
    return {
      pullsByState,
      publishConflictsTotal: this.#conflicts,
      locateSeconds: this.#cluster.locateSeconds.read(),
      ...(slowestMs === undefined ? {} : { coworkerRoundTripSeconds: slowestMs / 1000 }),
    };
  }

  #createForwards({ identity, streams, dial, clock, limits, randomBytes }: UpstreamRouterOptions): Forwards {
    const { hooks, isSelf, identity: { nodeId: serverId, bootId: serviceId } } = this.#options;
    const backend = { call: hooks.call.bind(hooks), serverId, serviceId };
    return new Forwards({
      settings: this.#settings.forwards,
      dial: {
        rtmp: dial,
        rtmps: (address, timeoutMs) => dial({ ...address, isSecure: true }, timeoutMs),
      },
      argumentsObject: ({ connect }, debug) =>
        upstreamArguments(identity, [...routeOf(connect), identity.nodeId], debug),
      session: () => ({ limits: limits(), randomBytes }),
      clock,
      random: Math.random,
      wallNow: Date.now,
      traffic: this.traffic,
      onBehind: (stream, cursor) => streams.scheduler(stream.options.gatherMs).markDirty(cursor.output),
      isSelf,
      askBackend: async (url, question) => {
        const call = this.#settings.hookCalls.get(question.vhost);
        return call === undefined ? [] : await askForwardBackend(backend, url, question, call);
      },
    });
  }

  /** What this node says to others of its clients; nothing where they would not believe it, or it has checked nothing. */
  #vouch(vhost: string, action: AccessAction): UpstreamSession["vouch"] {
    const secret = this.#settings.vhosts.get(vhost)?.clusterSecret ?? "";
    const checks = this.#options.access.vouchedFor(vhost, action);
    if (secret === "" || checks.length === 0) return undefined;
    return (challenge) => ({ headwater_vouch: signVouch(secret, challenge, { action, checks }) });
  }
}
