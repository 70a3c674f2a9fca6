import type { CoworkerAddress } from "../base/host_port.ts";
import type { ClusterSettings, ClusterVhostSettings } from "./cluster_settings.ts";
import type { CoworkerKind } from "./coworker.ts";
import type { Location } from "./locator.ts";
import type { NodeDrain, NodeIdentity, NodeLoad, RtmpEndpoint } from "./node_state.ts";
import type { OwnedStream, OwnedStreams } from "./owned_streams.ts";
import type { StreamQuery } from "./stream_query.ts";

/** A publish that the cluster has nothing against. */
export interface PublishClaim {
  /** To be given to `own`: later than that of any owner whom this one takes over from. */
  readonly publishedAtMs: number;
}

/** Where another node of the cluster takes RTMP; without brackets. */
export interface OtherNode {
  readonly host: string;
  readonly port: number;
}

/** Another node, as far as it is known. */
export interface KnownNode {
  readonly name: string;
  readonly address: CoworkerAddress;
  readonly kind: CoworkerKind;
  /** Undefined until it was asked for the first time. */
  readonly isUp: boolean | undefined;
  /** Since when it answers, in milliseconds since 1970; undefined while it is not up. */
  readonly upSinceMs: number | undefined;
  /** Milliseconds since 1970; undefined while it is up. */
  readonly downSinceMs: number | undefined;
  /** Why it was down last. */
  readonly lastError: string | undefined;
  readonly roundTripMs: number | undefined;
  /** What it says of itself; undefined for SRS and before the first answer. */
  readonly node: (NodeIdentity & { readonly rtmp: RtmpEndpoint; readonly load: NodeLoad }) | undefined;
  /** Whether it takes no new clients, since it is about to stop. */
  readonly isDraining: boolean;
  /** What it owned when it was heard of last: stream keys with their publish times. */
  readonly streams: ReadonlyMap<string, number>;
}

/** A node with the vhosts for which it counts, or a name that can't be looked up. */
export type ListedNode =
  | { readonly coworker: KnownNode; readonly vhosts: readonly string[] }
  | { readonly name: string; readonly error: string };

/** What one or all other nodes are asked. */
export interface NodeQuestion {
  readonly method: "GET" | "DELETE";
  /** Path and query, asked of Headwater nodes. */
  readonly path: string;
  /** Asked of SRS instead, unsigned; absent: SRS is not asked. */
  readonly srsPath?: string;
  /** Longest answer that is read. */
  readonly maxBytes: number;
}

/** What came of asking one node. */
export interface NodeReply {
  readonly name: string;
  /** Undefined for a name that can't be looked up. */
  readonly coworker: KnownNode | undefined;
  /** Milliseconds until it had answered; undefined where it was not asked. */
  readonly tookMs?: number;
  /** The status and the JSON of its answer; absent where there is none. */
  readonly answer?: { readonly status: number; readonly value: Readonly<Record<string, unknown>> };
  /** Why there is no answer; absent where there is one. */
  readonly error?: string;
}

/**
 * Who owns which stream: what routers, the API and the node ask, however nodes learn of each other. `Cluster` is the one in which each
 * node fetches its coworkers' states.
 */
export interface Directory {
  readonly identity: NodeIdentity;
  readonly settings: ClusterSettings;
  /** What this node owns. */
  readonly owned: OwnedStreams;
  /** Grows with whatever changes in what is known of other nodes. */
  readonly changes: number;
  /** What other nodes are told of this one's end. */
  readonly drain: NodeDrain;
  start(): void;
  stop(): void;
  /** Takes new settings; what is known of nodes that stay is kept. */
  reload(settings: ClusterSettings): void;
  /** The settings of a vhost by SRS's rule: its own, else those of the default one. */
  findVhost(name: string): { readonly name: string; readonly settings: ClusterVhostSettings } | undefined;
  /**
   * Where a stream is; at once where nobody has to be asked.
   *
   * @throws {unknown} `signal`'s reason.
   */
  locate(query: StreamQuery, signal?: AbortSignal): Promise<Location>;
  /**
   * Asks the cluster before a stream is published here.
   *
   * @throws {RtmpError} `stream-busy` when another node owns it and keeps it.
   * @throws {unknown} `signal`'s reason.
   */
  checkPublish(query: StreamQuery, signal?: AbortSignal): Promise<PublishClaim>;
  /** From now on this node owns a stream, until `disown` or until another node's claim turns out to hold. */
  own(stream: Omit<OwnedStream, "key">): void | Promise<void>;
  /** The publisher of a stream has left. Of a stream that another connection publishes now, nothing changes. */
  disown(key: string, connectionId: string): void;
  /** All other nodes with the vhosts that name them, and names that can't be looked up. */
  listCoworkers(): Iterable<ListedNode>;
  /**
   * Asks the other nodes for what is not known here, in bounded time; what they say is not checked. Never rejects.
   *
   * @param node Only this one: its node id, or its name where it has none.
   */
  ask(question: NodeQuestion, node?: string): Promise<readonly NodeReply[]>;
  /** Another node of the vhost that takes new clients. */
  findOther(vhost: string): OtherNode | undefined;
  /** Whether a node id is that of another node of the cluster. */
  isCoworker(nodeId: string): boolean;
  /** This node is about to stop, or is not any more: nobody is sent here meanwhile. */
  setDraining(isDraining: boolean): void;
  /** The publisher of a stream of this node has been asked to go on at another node, which may let it in. */
  letMove(key: string): void;
}
