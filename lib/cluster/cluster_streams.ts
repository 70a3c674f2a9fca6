// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
/**
 * The streams of a cluster as one list: what its nodes tell of theirs, put together by stream.
 *
 * @module
 */
import { streamKey } from "../base/stream_address.ts";
import type { NodePublisher, NodeStream, NodeVideo } from "./node_streams.ts";

/** A node and what it told; `error`: why it did not. */
export interface AskedNode {
  /** As it is named here; `self` for the one that asks. */
  readonly name: string;
  readonly self: boolean;
  readonly node_id?: string;
  readonly streams: readonly NodeStream[];
  /** How long its answer took, in milliseconds; absent where it was not asked. */
  readonly took_ms?: number;
  readonly error?: string;
}

/** What one node has to do with a stream. */
export interface StreamAtNode {
  readonly name: string;
  readonly self: boolean;
  readonly node_id?: string;
  /** Published there, pulled there from another node, or only waited for. */
  readonly role: "owner" | "relay" | "waiting";
  readonly viewers: number;
  readonly send_kbps: number;
  /** By which that node's own routes know it; empty: not told. */
  readonly stream_id: string;
}

/** A stream of the cluster. */
export interface ClusterStream {
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
  /** As it comes in, at its owner where that is known. */
  readonly recv_kbps: number;
  readonly fps: number;
  readonly video: NodeVideo | null;
  readonly audio: { readonly codec: string } | null;
  /** Media time between the last two key frames, in seconds; null: not known. */
  readonly key_frame_interval_s: number | null;
  readonly publisher: NodePublisher | null;
  /** The owner first, then by name. */
  readonly nodes: readonly StreamAtNode[];
}

/** The keys that a list can be sorted by. */
export const SORT_KEYS = [
  "name",
  "owner",
  "viewers",
  "recv_kbps",
  "send_kbps",
  "fps",
  "key_frame_interval_s",
] as const;
export type SortKey = typeof SORT_KEYS[number];

/** Which part of the list, and in which order. */
export interface ClusterStreamsQuery {
  /** Part of a stream's key, its owner's name, or its publisher's address or program, in any case; empty: all. */
  readonly search: string;
  readonly sort: SortKey;
  readonly isDescending: boolean;
  /** The first and how many. */
  readonly start: number;
  readonly count: number;
}

/** A page of the list, and who answered. */
export interface ClusterStreamsPage {
  /** How many match. */
  readonly total: number;
  readonly streams: readonly ClusterStream[];
  readonly nodes: readonly (Omit<AskedNode, "streams"> & { readonly streams: number })[];
}

/** Puts together what nodes told. Work is linear in the streams told, but for the sorting. */
export function mergeStreams(nodes: readonly AskedNode[]): ClusterStream[] {
  const byKey = new Map<string, { readonly stream: NodeStream; readonly node: AskedNode }[]>();
  for (const node of nodes) {
    for (const stream of node.streams) {
      const key = streamKey(stream.vhost, stream.app, stream.stream);
      const places = byKey.get(key);
      if (places === undefined) byKey.set(key, [{ stream, node }]);
      else places.push({ stream, node });
    }
  }
  return [...byKey].map(([url, places]) => {
    places.sort((a, b) => rank(a.stream) - rank(b.stream) || compareText(a.node.name, b.node.name));
    // Never empty.
    const { stream: best, node } = places[0] as typeof places[number];
    const { vhost, app, stream, live, recv_kbps, fps } = best;
    return {
      vhost,
      app,
      stream,
      url,
      owner: best.published ? node.name : null,
      live,
      viewers: places.reduce((sum, place) => sum + place.stream.viewers, 0),
      send_kbps: places.reduce((sum, place) => sum + place.stream.send_kbps, 0),
      recv_kbps,
      fps,
      video: places.find((place) => place.stream.video !== null)?.stream.video ?? null,
      audio: places.find((place) => place.stream.audio !== null)?.stream.audio ?? null,
      key_frame_interval_s: best.key_frame_interval_s,
      publisher: best.publisher,
      nodes: places.map((place): StreamAtNode => ({
        name: place.node.name,
        self: place.node.self,
        ...(place.node.node_id === undefined ? {} : { node_id: place.node.node_id }),
        role: place.stream.published ? "owner" : place.stream.live ? "relay" : "waiting",
        viewers: place.stream.viewers,
        send_kbps: place.stream.send_kbps,
        stream_id: place.stream.stream_id,
      })),
    };
  });
}

/** The part of the list that was asked for. Equal ones are in the order of their keys, so that pages fit together. */
export function pageOf(streams: readonly ClusterStream[], query: ClusterStreamsQuery): ClusterStream[] {
  return sorted(found(streams, query.search), query).slice(query.start, query.start + query.count);
}

/** Those in which the text is, where a person would look for it. */
export function found(streams: readonly ClusterStream[], search: string): ClusterStream[] {
  const wanted = search.toLowerCase();
  if (wanted === "") return [...streams];
  return streams.filter(({ url, owner, publisher }) =>
    [url, owner ?? "", publisher?.ip ?? "", publisher?.program ?? ""].some((text) =>
      text.toLowerCase().includes(wanted)
    )
  );
}

function sorted(streams: ClusterStream[], { sort, isDescending }: ClusterStreamsQuery): ClusterStream[] {
  const sign = isDescending ? -1 : 1;
  return streams.sort((a, b) => sign * compare(a, b, sort) || compareText(a.url, b.url));
}

function compare(a: ClusterStream, b: ClusterStream, sort: SortKey): number {
  switch (sort) {
    case "name":
      return compareText(a.url, b.url);
    case "owner":
      return compareText(a.owner ?? "", b.owner ?? "");
    default:
      return (a[sort] ?? 0) - (b[sort] ?? 0);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rank({ published, live }: NodeStream): number {
  return published ? 0 : live ? 1 : 2;
}
