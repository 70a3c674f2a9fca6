// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
/**
 * What the cluster's routes need to know of the cluster. The server hands in an object of this shape.
 *
 * @module
 */

/** A request as it was sent, to check who sent it. */
export interface ClusterRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The value of `X-Headwater-Signature`. */
  readonly signature: string | undefined;
}

/** Whether the streams of a vhost may be told. */
export type VhostFilter = (vhost: string) => boolean;

/** SRS's question for a stream; what was not sent is empty. */
export interface ClusterStreamQuery {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** By which name the asker knows this node: `host` or `host:port`. */
  readonly coworker: string;
}

/** Where players find a stream that this node owns, in SRS's words. */
export interface ClusterStreamOrigin {
  readonly ip: string;
  readonly port: number;
  readonly vhost: string;
  /** `host:port` of the HTTP API. */
  readonly api: string;
}

/** A node of the cluster as JSON. What a node that does not say is, is null or absent. */
export interface ClusterNodeJson {
  /** Whether it is the node that answers. */
  readonly self: boolean;
  /** As which this node is configured to know it; absent for itself. */
  readonly name?: string;
  /** `headwater`, `srs` or `unknown`. */
  readonly kind: string;
  /** Null: not asked yet. */
  readonly up: boolean | null;
  /** Present, and true, while it takes no new clients since it is about to stop. */
  readonly draining?: boolean;
  /** Since when it answers, in milliseconds since 1970; null while it does not. */
  readonly up_since_ms?: number | null;
  /** Milliseconds since 1970. */
  readonly down_since_ms?: number | null;
  readonly last_error?: string | null;
  readonly round_trip_ms?: number | null;
  readonly node_id?: string;
  readonly boot_id?: string;
  readonly version?: string;
  readonly rtmp?: { readonly host?: string; readonly port: number };
  readonly load?: {
    readonly streams: number;
    readonly clients: number;
    /** Of one core. */
    readonly cpu_percent?: number;
    /** Sent to clients, over 30 seconds. */
    readonly kbps?: number;
  };
}

/** What `/api/v1/clusters/nodes` holds as `data`. */
export interface ClusterNodesJson {
  readonly nodes: readonly ClusterNodeJson[];
}

/** A stream's video, as far as it is known; numbers that are not are 0. */
export interface ClusterVideoJson {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
}

/** What one node has to do with a stream of the cluster. */
export interface StreamAtNodeJson {
  /** As the node that answers knows it; `self` for itself. */
  readonly name: string;
  readonly self: boolean;
  readonly node_id?: string;
  /** Published there, pulled there from another node, or only waited for. */
  readonly role: "owner" | "relay" | "waiting";
  /** Its players there, other nodes not counted. */
  readonly viewers: number;
  readonly send_kbps: number;
  /** By which that node's own routes know it; empty: not told. */
  readonly stream_id: string;
}

/** Who publishes a stream, to those who may know. What is not told is empty, or 0. */
export interface StreamPublisherJson {
  readonly client_id: string;
  readonly ip: string;
  /** What the encoder calls itself in the metadata. */
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly since_ms: number;
}

/** A stream of the cluster as JSON. Rates are in kilobits (1000 bits) per second, over 30 seconds. */
export interface ClusterStreamJson {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** The stream key: `[vhost]/app/stream`. */
  readonly url: string;
  /** The name of the node where it is published; null where no node that answered has its publisher. */
  readonly owner: string | null;
  readonly live: boolean;
  /** Of all nodes together. */
  readonly viewers: number;
  readonly send_kbps: number;
  readonly recv_kbps: number;
  readonly fps: number;
  readonly video: ClusterVideoJson | null;
  readonly audio: { readonly codec: string } | null;
  /** Media time between the last two key frames, in seconds; null: not known. */
  readonly key_frame_interval_s: number | null;
  readonly publisher: StreamPublisherJson | null;
  /** The owner first. */
  readonly nodes: readonly StreamAtNodeJson[];
}

/** Whom the list of streams is from. */
export interface AskedNodeJson {
  readonly name: string;
  readonly self: boolean;
  readonly node_id?: string;
  /** How many streams it told of. */
  readonly streams: number;
  /** How long its answer took, in milliseconds; absent where it was not asked. */
  readonly took_ms?: number;
  /** Why it did not answer; absent: it did. */
  readonly error?: string;
}

/** What `/api/v1/clusters/streams` holds as `data`. */
export interface ClusterStreamsJson {
  /** How many match. */
  readonly total: number;
  readonly streams: readonly ClusterStreamJson[];
  readonly nodes: readonly AskedNodeJson[];
}

/** Which part of the list, and in which order. */
export interface ClusterStreamsQuery {
  readonly search: string;
  readonly sort: "name" | "owner" | "viewers" | "recv_kbps" | "send_kbps" | "fps" | "key_frame_interval_s";
  readonly isDescending: boolean;
  readonly start: number;
  readonly count: number;
}

/** The cluster, seen from its HTTP routes. */
export interface ClusterView {
  /** Who may be told what; undefined: nothing, the request had to be signed. */
  admit(request: ClusterRequest): VhostFilter | undefined;
  /** `WWW-Authenticate` of the refusal. */
  readonly challenge: string;
  /** The name of the vhost that serves a name; undefined where none does. */
  vhostName(name: string): string | undefined;
  /** Null when no publisher of this node feeds the stream. */
  streamOrigin(query: ClusterStreamQuery): ClusterStreamOrigin | null;
  /** ETag of the node's state. */
  readonly stateETag: string;
  /**
   * JSON of the node's state.
   *
   * @param since What the asker has; the answer then holds what changed.
   */
  nodeState(
    isVisible: VhostFilter,
    since?: { readonly bootId: string; readonly revision: number },
  ): Readonly<Record<string, unknown>>;
  /** ETag of the whole cluster as this node sees it. */
  readonly nodesETag: string;
  /** JSON of the whole cluster as this node sees it, this node first. */
  nodes(isVisible: VhostFilter, withStreams: boolean): readonly ClusterNodeJson[];
  /** Whether some vhost has a secret, so that not everybody may be told of every stream. */
  readonly hasSecret: boolean;
  /** Whether only those are told of a vhost who sign with its secret. */
  isSecret(vhost: string): boolean;
  /** JSON of the streams that this node has. */
  nodeStreams(isVisible: VhostFilter, withPublishers: boolean): readonly object[];
  /** A page of the streams of all nodes that answer in time. */
  clusterStreams(isVisible: VhostFilter, query: ClusterStreamsQuery): Promise<ClusterStreamsJson>;
  /**
   * Asks all other nodes, or one, in bounded time. Never rejects.
   *
   * @param node Its node id, or its name where it has none.
   */
  ask(question: ClusterQuestion, node?: string): Promise<readonly ClusterReply[]>;
}

/** What another node is asked; see `Survey` in `lib/cluster`. */
export interface ClusterQuestion {
  readonly method: "GET" | "DELETE";
  /** Path and query, asked of Headwater nodes. */
  readonly path: string;
  /** Asked of SRS instead; absent: SRS is not asked. */
  readonly srsPath?: string;
  /** Longest answer that is read. */
  readonly maxBytes: number;
}

/** What came of asking a node. What it said is JSON, and not checked. */
export interface ClusterReply {
  readonly name: string;
  /** Undefined for a name that can't be looked up. */
  readonly coworker: {
    readonly kind: string;
    readonly node: { readonly nodeId: string } | undefined;
    readonly downSinceMs: number | undefined;
  } | undefined;
  /** Milliseconds. */
  readonly tookMs?: number;
  readonly answer?: { readonly status: number; readonly value: Readonly<Record<string, unknown>> };
  readonly error?: string;
}
