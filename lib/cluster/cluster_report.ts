// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import { errorText } from "../base/errors.ts";
import { splitStreamKey, streamKey } from "../base/stream_address.ts";
import { hostAndPort, hostOf } from "../base/host_port.ts";
import {
  type AskedNode,
  type ClusterStream,
  type ClusterStreamsPage,
  type ClusterStreamsQuery,
  found,
  mergeStreams,
  pageOf,
} from "./cluster_streams.ts";
import type { Directory, KnownNode, NodeQuestion, NodeReply } from "./directory.ts";
import { MAX_NODE_STREAMS_BYTES, type NodeStream, readNodeStreams, readSrsStreams } from "./node_streams.ts";
import {
  loadJson,
  type NodeLoad,
  type NodeLoadJson,
  nodeStateJson,
  type RtmpEndpoint,
  type StateSince,
  streamJson,
} from "./node_state.ts";
import { stateETag } from "./owned_streams.ts";
import { challenge, SignatureVerifier, signedFor, type SignedRequest } from "./request_signature.ts";

export interface ClusterReportOptions {
  readonly cluster: Directory;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly load: () => NodeLoad;
  /** The streams that this node has. */
  readonly streams: () => Iterable<NodeStream>;
  /** An address of this machine that others may reach; SRS's `stats.network`. */
  readonly publicAddress: () => string;
}

/** A node as JSON. What a node that does not say is, is null or absent. */
export interface ReportedNode {
  readonly self: boolean;
  readonly name?: string;
  readonly vhosts?: readonly string[];
  readonly kind: string;
  /** Null: not asked yet. */
  readonly up: boolean | null;
  /** Present, and true, while it takes no new clients since it is about to stop. */
  readonly draining?: boolean;
  readonly up_since_ms?: number | null;
  readonly down_since_ms?: number | null;
  readonly last_error?: string | null;
  readonly round_trip_ms?: number | null;
  readonly node_id?: string;
  readonly boot_id?: string;
  readonly version?: string;
  readonly rtmp?: RtmpEndpoint;
  readonly load?: NodeLoadJson;
  readonly streams?: readonly Readonly<Record<string, unknown>>[];
}

/** However many look at the cluster as one, its nodes are asked once in so long, in milliseconds. */
const ASK_INTERVAL_MS = 1000;

/** What the nodes of the cluster told when they were asked last. */
interface Overview {
  readonly nodes: readonly AskedNode[];
  readonly streams: readonly ClusterStream[];
}

/** Listen addresses that say nothing of where a node is reached. */
const NOWHERE_HOSTS: ReadonlySet<string> = new Set(["", "*", "127.0.0.1", "0.0.0.0", "::"]);

/** What the HTTP routes tell of the cluster, and to whom. */
export class ClusterReport {
  readonly #options: ClusterReportOptions;
  readonly #verifier = new SignatureVerifier();
  #overview: Promise<Overview> | undefined;
  #askedMs = -Infinity;

  constructor(options: ClusterReportOptions) {
    this.#options = options;
  }

  /** Whether some vhost has a secret, so that not everybody may be told of every stream. */
  get hasSecret(): boolean {
    return [...this.#options.cluster.settings.vhosts.values()].some(({ secret }) => secret !== "");
  }

  /**
   * The streams that this node has, of vhosts that the asker may know.
   *
   * @param withPublishers Whether the asker may know who publishes them; who has signed for a vhost may.
   */
  nodeStreams(isVisible: (vhost: string) => boolean, withPublishers: boolean): NodeStream[] {
    const streams: NodeStream[] = [];
    for (const stream of this.#options.streams()) {
      const vhost = this.vhostName(stream.vhost) ?? stream.vhost;
      if (!isVisible(vhost)) continue;
      const mayKnow = withPublishers || this.isSecret(vhost);
      streams.push(mayKnow ? stream : { ...stream, publisher: null });
    }
    return streams;
  }

  /** Whether only those are told of a vhost who sign with its secret. */
  isSecret(vhost: string): boolean {
    return (this.#options.cluster.findVhost(vhost)?.settings.secret ?? "") !== "";
  }

  /** A page of the streams of all nodes: those of this one, and of the coworkers that answer within `query_timeout_ms`. */
  async clusterStreams(
    isVisible: (vhost: string) => boolean,
    query: ClusterStreamsQuery,
  ): Promise<ClusterStreamsPage> {
    const { nodes, streams } = await this.#look();
    const visible = streams.filter(({ vhost }) => isVisible(this.vhostName(vhost) ?? vhost));
    return {
      total: found(visible, query.search).length,
      streams: pageOf(visible, query),
      nodes: nodes.map((node) => ({
        ...node,
        streams: node.streams.filter(({ vhost }) => isVisible(this.vhostName(vhost) ?? vhost)).length,
      })),
    };
  }

  #look(): Promise<Overview> {
    const nowMs = this.#options.wallNow();
    // A clock that was set back must not keep an old answer.
    if (this.#overview === undefined || Math.abs(nowMs - this.#askedMs) >= ASK_INTERVAL_MS) {
      this.#askedMs = nowMs;
      this.#overview = this.#ask();
    }
    return this.#overview;
  }

  async #ask(): Promise<Overview> {
    const { cluster, streams } = this.#options;
    const replies = await cluster.ask({
      method: "GET",
      path: "/api/v1/clusters/node/streams",
      srsPath: "/api/v1/streams?start=0&count=10000",
      maxBytes: MAX_NODE_STREAMS_BYTES,
    });
    const nodes: AskedNode[] = [
      { name: "self", self: true, node_id: cluster.identity.nodeId, streams: [...streams()] },
      ...replies.map(toldBy),
    ];
    return { nodes, streams: mergeStreams(nodes) };
  }

  /**
   * Which vhosts' streams a caller may know. Those of vhosts with a secret: who signs with it. The others: anyone, but where any vhost
   * has a secret, only of vhosts that are in a cluster.
   *
   * @returns Undefined when none.
   */
  admit(
    request: Omit<SignedRequest, "bootId"> & { readonly signature: string | undefined },
  ): ((vhost: string) => boolean) | undefined {
    const vhosts = [...this.#options.cluster.settings.vhosts];
    const secrets = new Set(vhosts.map(([, { secret }]) => secret).filter((secret) => secret !== ""));
    if (secrets.size === 0) return () => true;
    const { bootId } = this.#options.cluster.identity;
    // Meant for another node, or from before this one was started: who asks has to sign anew.
    if (request.signature !== undefined && signedFor(request.signature) !== bootId) return undefined;
    const nowMs = this.#options.wallNow();
    const signed = { ...request, bootId };
    const known = request.signature === undefined
      ? undefined
      : [...secrets].find((secret) => this.#verifier.verify(secret, signed, request.signature, nowMs));
    const visible = new Set(
      vhosts.filter(([, { secret, isOriginCluster }]) => secret === "" ? isOriginCluster : secret === known)
        .map(([name]) => name),
    );
    return visible.size === 0 ? undefined : (vhost) => visible.has(vhost);
  }

  /** Asks the other nodes; see `Directory`. */
  async ask(question: NodeQuestion, node?: string): Promise<readonly NodeReply[]> {
    return await this.#options.cluster.ask(question, node);
  }

  /** What an asker whom nothing may be told has to know to sign. */
  get challenge(): string {
    return challenge(this.#options.cluster.identity.bootId);
  }

  /** The name of the vhost that serves a name: itself, else the default one. */
  vhostName(name: string): string | undefined {
    return this.#options.cluster.findVhost(name)?.name;
  }

  /** Where players find a stream that this node owns, by SRS's rule (or as `advertise` says); null when it does not own it. */
  streamOrigin(
    query: {
      readonly vhost: string;
      readonly app: string;
      readonly stream: string;
      readonly coworker: string;
    },
  ): { ip: string; port: number; vhost: string; api: string } | null {
    const { cluster, publicAddress } = this.#options;
    const vhost = cluster.findVhost(query.vhost);
    if (vhost === undefined) return null;
    const stream = cluster.owned.get(streamKey(vhost.name, query.app, query.stream));
    if (stream === undefined) return null;
    const { rtmp, apiListen } = cluster.settings;
    const advertised = advertisedEndpoint(vhost.settings.advertise, rtmp.port);
    const listenHost = rtmp.hostname ?? "";
    const ip = advertised.host ??
      (NOWHERE_HOSTS.has(listenHost) ? hostOf(query.coworker) || publicAddress() : listenHost);
    const api = apiListen.includes(":") ? apiListen : hostAndPort(ip, Number(apiListen));
    return { ip, port: advertised.port, vhost: stream.vhost, api };
  }

  get stateETag(): string {
    const { identity, owned } = this.#options.cluster;
    return stateETag(identity.bootId, owned.revision);
  }

  /** JSON of this node's state. */
  nodeState(isVisible: (vhost: string) => boolean, since?: StateSince): Readonly<Record<string, unknown>> {
    const { cluster, load } = this.#options;
    return nodeStateJson(
      cluster.identity,
      this.#endpoint(),
      load(),
      cluster.owned,
      isVisible,
      since,
      cluster.drain,
    );
  }

  /** Weak: round trips and loads change without it. */
  get nodesETag(): string {
    const { identity, owned, changes } = this.#options.cluster;
    return `W/${stateETag(identity.bootId, owned.revision).slice(0, -1)}-${changes}"`;
  }

  /** JSON of every node that this one knows, itself first. */
  nodes(isVisible: (vhost: string) => boolean, withStreams: boolean): readonly ReportedNode[] {
    const { cluster, load } = this.#options;
    const streams = [...cluster.owned.list()].filter(({ vhost }) => isVisible(vhost));
    const self: ReportedNode = {
      self: true,
      kind: "headwater",
      up: true,
      ...(cluster.drain.isDraining ? { draining: true } : {}),
      node_id: cluster.identity.nodeId,
      boot_id: cluster.identity.bootId,
      version: cluster.identity.version,
      rtmp: this.#endpoint(),
      load: loadJson(load()),
      ...(withStreams ? { streams: streams.map(streamJson) } : {}),
    };
    const boots = new Set<string>([cluster.identity.bootId]);
    const others: ReportedNode[] = [];
    for (const entry of cluster.listCoworkers()) {
      if ("error" in entry) {
        others.push({ self: false, name: entry.name, kind: "unknown", up: false, last_error: entry.error });
        continue;
      }
      const { coworker, vhosts } = entry;
      if (!vhosts.some(isVisible)) continue;
      // One that goes by several names is listed by the first.
      const bootId = coworker.node?.bootId;
      if (bootId !== undefined && boots.has(bootId)) continue;
      if (bootId !== undefined) boots.add(bootId);
      others.push(coworkerJson(coworker, vhosts.filter(isVisible), isVisible, withStreams));
    }
    return [self, ...others];
  }

  /** The node's RTMP port; a host only where one is advertised or listened on, the same for all vhosts. */
  #endpoint(): RtmpEndpoint {
    const { rtmp, vhosts } = this.#options.cluster.settings;
    const advertise = [...vhosts.values()].map((vhost) => vhost.advertise).find((text) => text !== "") ?? "";
    const { host, port } = advertisedEndpoint(advertise, rtmp.port);
    const known = host ?? (NOWHERE_HOSTS.has(rtmp.hostname ?? "") ? undefined : rtmp.hostname);
    return known === undefined ? { port } : { host: known, port };
  }
}

/** What a node said of its streams, or why it did not. */
function toldBy({ name, coworker, tookMs, answer, error }: NodeReply): AskedNode {
  const nodeId = coworker?.node?.nodeId;
  const known = {
    name,
    self: false,
    ...(nodeId === undefined ? {} : { node_id: nodeId }),
    ...(tookMs === undefined ? {} : { took_ms: Math.round(tookMs * 10) / 10 }),
  };
  try {
    if (answer === undefined) throw new Error(error);
    if (answer.status === 404) throw new Error("it is an earlier version, which does not tell");
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
    const read = coworker?.kind === "srs" ? readSrsStreams : readNodeStreams;
    return { ...known, streams: read(answer.value) };
  } catch (cause) {
    return { ...known, streams: [], error: errorText(cause) };
  }
}

function coworkerJson(
  coworker: KnownNode,
  vhosts: readonly string[],
  isVisible: (vhost: string) => boolean,
  withStreams: boolean,
): ReportedNode {
  const { node } = coworker;
  const streams = () =>
    [...coworker.streams].map(([key, publishedAtMs]) => ({ ...splitStreamKey(key), publishedAtMs }))
      .filter(({ vhost }) => isVisible(vhost)).map(streamJson);
  return {
    self: false,
    name: coworker.name,
    vhosts,
    kind: coworker.kind,
    up: coworker.isUp ?? null,
    ...(coworker.isDraining ? { draining: true } : {}),
    up_since_ms: coworker.upSinceMs ?? null,
    down_since_ms: coworker.downSinceMs ?? null,
    last_error: coworker.lastError ?? null,
    round_trip_ms: coworker.roundTripMs === undefined ? null : Math.round(coworker.roundTripMs * 1000) / 1000,
    ...(node === undefined ? {} : {
      node_id: node.nodeId,
      boot_id: node.bootId,
      version: node.version,
      rtmp: { host: node.rtmp.host ?? coworker.address.host, port: node.rtmp.port },
      load: loadJson(node.load),
      ...(withStreams ? { streams: streams() } : {}),
    }),
  };
}

function advertisedEndpoint(advertise: string, rtmpPort: number): { host?: string; port: number } {
  if (advertise === "") return { port: rtmpPort };
  const port = /:(\d+)$/.exec(advertise.replace(/^\[[^\]]*\]/, ""))?.[1];
  return { host: hostOf(advertise), port: port === undefined ? rtmpPort : Number(port) };
}
