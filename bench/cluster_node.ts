// deno-lint-ignore-file camelcase -- the names of configuration keys
/**
 * A process that runs some nodes of a cluster, each a whole server on free ports of the loopback. Started by the cluster bench with
 * `NodeTask` as JSON; first says where its nodes listen, then answers each `NodeOrder` on its input with a line of JSON.
 *
 * @module
 */
import { configSchema } from "../lib/config/config.ts";
import { configureLogging } from "../lib/app/logging.ts";
import { Node } from "../lib/app/node.ts";
import { Ports } from "../lib/app/ports.ts";

/** What such a process runs. */
export interface NodeTask {
  readonly count: number;
  /** Empty: nothing is signed. */
  readonly secret: string;
}

/** Ports of one node. */
export interface NodePorts {
  readonly rtmp: number;
  readonly api: number;
}

/** What its nodes are told to do. */
export type NodeOrder =
  /** A list for each node. */
  | { readonly kind: "coworkers"; readonly lists: readonly (readonly string[])[] }
  /** Each node owns so many streams, without publishers; all are taken from it and given anew so often that `changesPerSecond`. */
  | { readonly kind: "own"; readonly streams: number; readonly changesPerSecond: number }
  /** One node knows no more of its coworkers than right after its start. */
  | { readonly kind: "forget"; readonly index: number }
  | { readonly kind: "known" };

/** What a node knows of its coworkers. */
export interface KnownCoworkers {
  readonly up: number;
  readonly down: number;
  readonly streams: number;
}

const CHANGE_PERIOD_MS = 100;

/** A node and the list that it was given. */
class BenchNode {
  readonly #node: Node;
  readonly #name: string;
  readonly #secret: string;
  #coworkers: readonly string[] = [];
  #changeTimer: ReturnType<typeof setInterval> | undefined;

  constructor(name: string, secret: string) {
    this.#name = name;
    this.#secret = secret;
    this.#node = new Node(configSchema.parse(nodeConfig([], secret)));
  }

  async start(): Promise<NodePorts> {
    const ports = new Ports(this.#node.config);
    await this.#node.start(ports);
    const { rtmp, httpApi } = ports.addresses;
    return { rtmp: rtmp[0]?.port ?? 0, api: httpApi[0]?.port ?? 0 };
  }

  setCoworkers(coworkers: readonly string[]): void {
    this.#coworkers = coworkers;
    this.#node.reload(configSchema.parse(nodeConfig(coworkers, this.#secret)));
  }

  forget(): void {
    const coworkers = this.#coworkers;
    this.setCoworkers([]);
    this.setCoworkers(coworkers);
  }

  own(streams: number, changesPerSecond: number): void {
    for (let i = 0; i < streams; i++) this.#own(i);
    clearInterval(this.#changeTimer);
    if (changesPerSecond === 0) return;
    let next = 0;
    // One that goes and comes again is two changes.
    const perTick = changesPerSecond * CHANGE_PERIOD_MS / 1000 / 2;
    this.#changeTimer = setInterval(() => {
      for (let i = 0; i < perTick; i++, next = (next + 1) % streams) {
        this.#node.cluster.disown(`/live/${this.#stream(next)}`, "bench");
        this.#own(next);
      }
    }, CHANGE_PERIOD_MS);
  }

  known(): KnownCoworkers {
    let up = 0;
    let down = 0;
    let streams = 0;
    for (const entry of this.#node.cluster.listCoworkers()) {
      if (!("coworker" in entry)) continue;
      if (entry.coworker.isUp === true) up++;
      if (entry.coworker.isUp === false) down++;
      streams += entry.coworker.streams.size;
    }
    return { up, down, streams };
  }

  #own(index: number): void {
    this.#node.cluster.own({
      vhost: "__defaultVhost__",
      app: "live",
      stream: this.#stream(index),
      publishedAtMs: Date.now(),
      connectionId: "bench",
    });
  }

  #stream(index: number): string {
    return `camera-${this.#name}-${String(index).padStart(5, "0")}`;
  }
}

function nodeConfig(coworkers: readonly string[], secret: string): Readonly<Record<string, unknown>> {
  const cluster = { origin_cluster: true, coworkers, secret, linger_ms: 0 };
  return {
    listen: "127.0.0.1:0",
    http_api: { listen: "127.0.0.1:0" },
    http_server: { enabled: false },
    max_connections: 20_000,
    vhost: { __defaultVhost__: { cluster } },
  };
}

function say(value: unknown): void {
  const line = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  for (let done = 0; done < line.length;) done += Deno.stdout.writeSync(line.subarray(done));
}

function obey(nodes: readonly BenchNode[], order: NodeOrder): unknown {
  switch (order.kind) {
    case "coworkers":
      nodes.forEach((node, index) => node.setCoworkers(order.lists[index] ?? []));
      return {};
    case "own":
      for (const node of nodes) node.own(order.streams, order.changesPerSecond);
      return {};
    case "forget":
      nodes[order.index]?.forget();
      return {};
    case "known":
      return nodes.map((node) => node.known());
    default:
      return order satisfies never;
  }
}

async function main(task: NodeTask): Promise<void> {
  // Lines are made, as a server's are, but not written.
  configureLogging({ level: "info", format: "json", write: () => {} });
  const nodes = Array.from(
    { length: task.count },
    (_, index) => new BenchNode(`${Deno.pid}-${index}`, task.secret),
  );
  const ports: NodePorts[] = [];
  for (const node of nodes) ports.push(await node.start());
  say(ports);
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) say(obey(nodes, JSON.parse(line)));
  }
  Deno.exit(0);
}

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? "{}"));
