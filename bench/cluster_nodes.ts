import { Child } from "./child.ts";
import type { KnownCoworkers, NodeOrder, NodePorts, NodeTask } from "./cluster_node.ts";
import { ClusterTap, type Traffic } from "./cluster_tap.ts";

/** How many nodes, in how many processes, with what. */
export interface ClusterShape {
  readonly nodes: number;
  /** Listed coworkers that are dead. */
  readonly dead: number;
  readonly isSigned: boolean;
}

/** One running node. */
export interface BenchedNode {
  readonly rtmpPort: number;
  /** As coworkers name it: through its tap. */
  readonly address: string;
  readonly process: Child;
  /** Among the nodes of its process. */
  readonly index: number;
}

/** More nodes than this are two processes: the first node's own, and one for all the others. */
export const MAX_PROCESSES = 10;
const KNOWN_DEADLINE_MS = 60_000;
const PERMISSIONS = ["net", "read", "env", "sys", "write"].map((name) => `--allow-${name}`);
const PROGRAM = new URL("cluster_node.ts", import.meta.url).pathname;

/**
 * A cluster of real servers on this machine, that know each other and some that are dead. Where the others share a process they know
 * the first node only, as each of them would be too busy with so many neighbours on one core; the first knows all.
 */
export class ClusterNodes {
  readonly nodes: readonly BenchedNode[];
  readonly #processes: readonly Child[];
  readonly #taps: readonly ClusterTap[];
  readonly #dead: DeadCoworkers;
  readonly #shape: ClusterShape;
  /** What each node owns. */
  readonly #streams = new Map<BenchedNode, number>();

  private constructor(
    shape: ClusterShape,
    processes: readonly Child[],
    nodes: readonly BenchedNode[],
    taps: readonly ClusterTap[],
  ) {
    this.#shape = shape;
    this.#processes = processes;
    this.nodes = nodes;
    this.#taps = taps;
    this.#dead = new DeadCoworkers(shape.dead);
  }

  /** Whether nodes ask all others, and not only the first. */
  get isMesh(): boolean {
    return this.#processes.length === this.nodes.length;
  }

  /** Starts the nodes, which know no one yet. */
  static async start(shape: ClusterShape): Promise<ClusterNodes> {
    const counts = shape.nodes <= MAX_PROCESSES
      ? Array.from({ length: shape.nodes }, () => 1)
      : [1, shape.nodes - 1];
    const secret = shape.isSigned ? "a secret of the bench" : "";
    const processes = counts.map((count) => {
      const task = JSON.stringify({ count, secret } satisfies NodeTask);
      return new Child(Deno.execPath(), ["run", ...PERMISSIONS, PROGRAM, task]);
    });
    const nodes: BenchedNode[] = [];
    const taps: ClusterTap[] = [];
    for (const process of processes) {
      const ports: NodePorts[] = JSON.parse(await process.line());
      ports.forEach(({ rtmp, api }, index) => {
        const tap = new ClusterTap(api);
        taps.push(tap);
        nodes.push({ rtmpPort: rtmp, address: tap.address, process, index });
      });
    }
    return new ClusterNodes(shape, processes, nodes, taps);
  }

  /** Tells the nodes of each other; resolves when each knows of all its coworkers whether they are up, and their streams. */
  async meet(): Promise<void> {
    const [first] = this.nodes;
    const others = this.nodes.map((node) =>
      (this.isMesh || node === first ? this.nodes : this.nodes.slice(0, 1)).filter((other) => other !== node)
    );
    const lists = others.map((nodes) => [...nodes.map(({ address }) => address), ...this.#dead.addresses]);
    for (const process of this.#processes) {
      const own = lists.filter((_, index) => this.nodes[index]?.process === process);
      await order(process, { kind: "coworkers", lists: own });
    }
    const wanted = others.map((nodes) => ({
      up: nodes.length,
      streams: nodes.reduce((sum, node) => sum + (this.#streams.get(node) ?? 0), 0),
    }));
    for (const deadlineMs = performance.now() + KNOWN_DEADLINE_MS;;) {
      const known: KnownCoworkers[] = [];
      for (const process of this.#processes) {
        known.push(...await order(process, { kind: "known" }) as KnownCoworkers[]);
      }
      const isDone = known.every(({ up, down, streams }, index) => {
        return up === wanted[index]?.up && down === this.#shape.dead && streams === wanted[index]?.streams;
      });
      if (isDone) return;
      if (performance.now() > deadlineMs) {
        throw new Error(`Cannot measure: nodes know no more than ${JSON.stringify(known[0])} after a minute`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** The first node owns so many streams, and each of the others so many. */
  async own(ofFirst: number, ofOthers: number, changesPerSecond: number): Promise<void> {
    const [first] = this.nodes;
    for (const node of this.nodes) this.#streams.set(node, node === first ? ofFirst : ofOthers);
    for (const process of this.#processes) {
      const streams = process === first?.process ? ofFirst : ofOthers;
      await order(process, { kind: "own", streams, changesPerSecond });
    }
  }

  /** Puts a node back to what it knew right after its start. */
  async forget(node: BenchedNode): Promise<void> {
    await order(node.process, { kind: "forget", index: node.index });
  }

  /** What one node has asked of the others so far; of a mesh, the mean of all. */
  get asked(): Traffic {
    // In a star the first node's own tap has what the others ask it.
    const taps = this.isMesh ? this.#taps : this.#taps.slice(1);
    const askers = this.isMesh ? this.nodes.length : 1;
    const mean = (count: (traffic: Traffic) => number) =>
      taps.reduce((sum, { traffic }) => sum + count(traffic), 0) / askers;
    return {
      requests: mean(({ requests }) => requests),
      requestBytes: mean(({ requestBytes }) => requestBytes),
      responseBytes: mean(({ responseBytes }) => responseBytes),
    };
  }

  /** Processes that are one node each, and know all the others. */
  get measuredPids(): number[] {
    return (this.isMesh ? this.#processes : this.#processes.slice(0, 1)).map(({ pid }) => pid);
  }

  async stop(): Promise<void> {
    for (const tap of this.#taps) tap.close();
    await Promise.all(this.#processes.map((process) => process.stop()));
    this.#dead.close();
  }
}

/** Addresses of which one half refuses, and the other half connects and is silent for ever. */
class DeadCoworkers {
  readonly #silent: Deno.TcpListener[] = [];
  readonly addresses: readonly string[];

  constructor(count: number) {
    this.addresses = Array.from({ length: count }, (_, index) => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr;
      // The kernel connects for a listener that never accepts.
      if (index % 2 === 0) this.#silent.push(listener);
      else listener.close();
      return `127.0.0.1:${port}`;
    });
  }

  close(): void {
    for (const listener of this.#silent) listener.close();
  }
}

async function order(process: Child, what: NodeOrder): Promise<unknown> {
  return JSON.parse(await process.ask(JSON.stringify(what)));
}
