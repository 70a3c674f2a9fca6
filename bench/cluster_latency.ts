import { type BenchedNode, ClusterNodes } from "./cluster_nodes.ts";
import { ClusterPlayer, type PlayOutcome } from "./cluster_player.ts";
import { PublisherSet } from "./publisher_set.ts";

/** What a player on a wrong origin asks for. */
export type PlayKind = "redirect" | "relay" | "nowhere";

/** Times from the write of `play` to its answer. */
export interface LatencyResult {
  readonly nodes: number;
  readonly dead: number;
  readonly kind: PlayKind;
  /** False: the node's loop has not asked anyone yet. */
  readonly isKnown: boolean;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export interface LatencyOptions {
  readonly nodes: number;
  readonly dead: number;
  /** Plays of a row whose coworkers are known; a third of it where they are not. */
  readonly plays: number;
}

const OUTCOMES: Readonly<Record<PlayKind, PlayOutcome>> = {
  redirect: "redirect",
  relay: "media",
  nowhere: "refused",
};
const STREAMS = 12;
const KBPS = 300;
/** Until all publishers have sent a group of pictures. */
const WARM_MS = 3000;
/** "Nowhere" is believed for 250 ms: each such play needs a stream of its own. */
let nowhereCount = 0;

/** Measures all kinds of plays with one cluster, one play at a time. */
export async function measureLatency(options: LatencyOptions): Promise<LatencyResult[]> {
  const cluster = await ClusterNodes.start({ nodes: options.nodes, dead: options.dead, isSigned: false });
  try {
    await cluster.meet();
    const pairs = await publish(cluster);
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
    const results: LatencyResult[] = [];
    for (const isKnown of [true, false]) {
      for (const kind of ["redirect", "relay", "nowhere"] as const) {
        const count = isKnown && kind !== "nowhere" ? options.plays : Math.ceil(options.plays / 3);
        // The first plays of a process are those of its compiler.
        if (isKnown) await play(cluster, pairs, kind, isKnown, Math.min(pairs.length, 20));
        const times = await play(cluster, pairs, kind, isKnown, count);
        results.push({
          nodes: options.nodes,
          dead: options.dead,
          kind,
          isKnown,
          count,
          p50Ms: times[Math.floor(count * 0.5)] ?? NaN,
          p95Ms: times[Math.min(Math.floor(count * 0.95), count - 1)] ?? NaN,
          maxMs: times.at(-1) ?? NaN,
        });
      }
    }
    return results;
  } finally {
    await cluster.stop();
  }
}

/** A stream, and a node that has to look for it. */
interface Pair {
  readonly stream: string;
  readonly wrong: BenchedNode;
}

/** Publishes streams here and there; gives each with each node that it is not at and that knows all others. */
async function publish(cluster: ClusterNodes): Promise<Pair[]> {
  const { nodes, isMesh } = cluster;
  const askers = isMesh ? nodes : nodes.slice(0, 1);
  const owners = isMesh ? nodes : nodes.slice(1);
  const publishers = new PublisherSet(KBPS, () => {
    // The cluster has stopped.
  });
  const pairs: Pair[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const owner = owners[i % owners.length] as BenchedNode;
    const stream = `bench${i}`;
    await publishers.add(owner.rtmpPort, stream, i / STREAMS);
    pairs.push(...askers.filter((node) => node !== owner).map((wrong) => ({ stream, wrong })));
  }
  return pairs;
}

/** The times of plays, shortest first. */
async function play(
  cluster: ClusterNodes,
  pairs: readonly Pair[],
  kind: PlayKind,
  isKnown: boolean,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    // A stride without a common factor: neighbours are other nodes and other streams.
    const { stream, wrong } = pairs[(i * 7) % pairs.length] as Pair;
    const name = kind === "nowhere" ? `nobody${nowhereCount++}` : stream;
    const player = await ClusterPlayer.connect(wrong.rtmpPort, name, kind === "redirect");
    if (!isKnown) await cluster.forget(wrong);
    times.push(await player.play(OUTCOMES[kind]));
  }
  return times.sort((a, b) => a - b);
}
