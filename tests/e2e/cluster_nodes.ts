// deno-lint-ignore-file camelcase -- names of the configuration and of RTMP
import { configSchema } from "../../lib/config/config.ts";
import { Node } from "../../lib/app/node.ts";
import { Ports } from "../../lib/app/ports.ts";
import type { RtmpErrorCode } from "../../lib/base/errors.ts";
import type { SocketAddress } from "../../lib/net/tcp.ts";
import { until } from "../fakes/deadline.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

/** Keys of a vhost's `cluster` section, as in a configuration file. */
export type ClusterKeys = Readonly<Record<string, unknown>>;

/** Sections of the default vhost besides `cluster`, and whole other vhosts, as in a configuration file. */
export interface NodeSections {
  /** Where RTMP listens, when not on a free port. */
  readonly listen?: string;
  readonly play?: Readonly<Record<string, unknown>>;
  readonly http_remux?: Readonly<Record<string, unknown>>;
  readonly forward?: Readonly<Record<string, unknown>>;
  readonly security?: Readonly<Record<string, unknown>>;
  readonly http_hooks?: Readonly<Record<string, unknown>>;
  readonly vhosts?: Readonly<Record<string, unknown>>;
}

/** How long nodes may take to know each other. */
const MEETING_DEADLINE_MS = 15_000;

/** A whole server within the test's own process, on free ports. */
export class LocalNode {
  readonly node: Node;
  readonly rtmp: SocketAddress;
  readonly apiPort: number;
  readonly httpPort: number;
  readonly #sections: NodeSections;

  private constructor(
    node: Node,
    sections: NodeSections,
    rtmp: SocketAddress,
    apiPort: number,
    httpPort: number,
  ) {
    this.node = node;
    this.#sections = sections;
    this.rtmp = rtmp;
    this.apiPort = apiPort;
    this.httpPort = httpPort;
  }

  static async start(
    scope: TestScope,
    cluster: ClusterKeys = {},
    sections: NodeSections = {},
  ): Promise<LocalNode> {
    const node = new Node(configSchema.parse(nodeConfig(cluster, sections)));
    const ports = new Ports(node.config);
    await node.start(ports);
    const { rtmp: [rtmp], httpApi: [api], httpServer: [http] } = ports.addresses;
    scope.onClose(() => node.stop());
    if (rtmp === undefined) throw new Error("Cannot go on: the node does not listen");
    return new LocalNode(node, sections, rtmp, api?.port ?? 0, http?.port ?? 0);
  }

  /** As coworkers know it. */
  get api(): string {
    return `127.0.0.1:${this.apiPort}`;
  }

  /** As edges know it. */
  get origin(): string {
    return `127.0.0.1:${this.rtmp.port}`;
  }

  /** How often connections have ended with this error. */
  errors(code: RtmpErrorCode): number {
    return this.node.runtime.counters.errors.get(code) ?? 0;
  }

  /** Takes other keys for its default vhost, as SIGHUP does. */
  reload(cluster: ClusterKeys, sections: NodeSections = this.#sections): void {
    this.node.reload(configSchema.parse(nodeConfig(cluster, sections)));
  }

  /** Waits until so many coworkers answer. */
  meets(count: number): Promise<void> {
    return this.#coworkersReach(count, true);
  }

  /** Waits until so many coworkers are known not to answer. */
  misses(count: number): Promise<void> {
    return this.#coworkersReach(count, false);
  }

  async #coworkersReach(count: number, isUp: boolean): Promise<void> {
    const { cluster } = this.node;
    const matching = () =>
      [...cluster.listCoworkers()].filter((entry) => "coworker" in entry && entry.coworker.isUp === isUp);
    const what = `${count} coworkers that are ${isUp ? "up" : "down"}`;
    await until(() => matching().length === count, what, MEETING_DEADLINE_MS);
  }
}

/** Three of a kind. */
export type Three<T> = readonly [T, T, T];

/** The nodes of one origin cluster in the test's own process, that know each other. */
export async function startLocalCluster(
  scope: TestScope,
  cluster: ClusterKeys = {},
  sections: NodeSections = {},
): Promise<Three<LocalNode>> {
  const start = () => LocalNode.start(scope, { origin_cluster: true, ...cluster }, sections);
  const nodes: Three<LocalNode> = [await start(), await start(), await start()];
  reloadCluster(nodes, cluster);
  await Promise.all(nodes.map((node) => node.meets(nodes.length - 1)));
  return nodes;
}

/** Makes nodes each other's coworkers. */
export function reloadCluster(nodes: readonly LocalNode[], cluster: ClusterKeys = {}): void {
  for (const node of nodes) {
    const coworkers = nodes.filter((other) => other !== node).map(({ api }) => api);
    node.reload({ origin_cluster: true, coworkers, ...cluster });
  }
}

/** An edge in the test's own process. */
export function startLocalEdge(
  scope: TestScope,
  origins: readonly { readonly origin: string }[],
  cluster: ClusterKeys = {},
  sections: NodeSections = {},
): Promise<LocalNode> {
  const keys = { mode: "remote", origin: origins.map(({ origin }) => origin), ...cluster };
  return LocalNode.start(scope, keys, sections);
}

/** The nodes of one origin cluster, each a process of its own, that know each other. */
export async function startClusterProcesses(scope: TestScope): Promise<Three<ServerProcess>> {
  const start = () => scope.startServer({ config: clusterToml({ origin_cluster: true }) });
  const servers: Three<ServerProcess> = await Promise.all([start(), start(), start()]);
  await Promise.all(servers.map(async (server) => {
    const from = server.lines.length;
    await server.reload(clusterToml({ origin_cluster: true, coworkers: othersOf(servers, server) }));
    await meetsAll(server, othersOf(servers, server), from);
  }));
  return servers;
}

/** A node of a cluster that has been killed, anew on the same ports. */
export async function restartProcess(
  scope: TestScope,
  killed: ServerProcess,
  servers: readonly ServerProcess[],
): Promise<ServerProcess> {
  const coworkers = othersOf(servers, killed);
  const server = await scope.startServer({
    config: clusterToml({ origin_cluster: true, coworkers }),
    env: { HEADWATER_LISTEN: originOf(killed), HEADWATER_HTTP_API_LISTEN: apiOf(killed) },
  });
  await meetsAll(server, coworkers, 0);
  return server;
}

/** An edge that is a process of its own. */
export function startEdgeProcess(
  scope: TestScope,
  origins: readonly ServerProcess[],
): Promise<ServerProcess> {
  return scope.startServer({ config: clusterToml({ mode: "remote", origin: origins.map(originOf) }) });
}

/** A process as coworkers know it. */
export function apiOf(server: ServerProcess): string {
  return `127.0.0.1:${server.port("httpApi")}`;
}

/** A process as edges know it. */
export function originOf(server: ServerProcess): string {
  return `127.0.0.1:${server.port("rtmp")}`;
}

/** The default vhost's cluster section. */
export function clusterToml(
  keys: Readonly<Record<string, string | number | boolean | readonly string[]>>,
): string {
  const lines = Object.entries(keys).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `[vhost.__defaultVhost__.cluster]\n${lines.join("\n")}`;
}

function othersOf(servers: readonly ServerProcess[], server: ServerProcess): string[] {
  return servers.filter((other) => other !== server).map(apiOf);
}

async function meetsAll(server: ServerProcess, coworkers: readonly string[], from: number): Promise<void> {
  for (const coworker of coworkers) {
    await server.line((line) => line.message === "Coworker is up" && line["coworker"] === coworker, from);
  }
}

function nodeConfig(
  cluster: ClusterKeys,
  { vhosts, listen = "127.0.0.1:0", ...sections }: NodeSections,
): Record<string, unknown> {
  return {
    listen,
    http_api: { listen: "127.0.0.1:0" },
    http_server: { listen: "127.0.0.1:0" },
    grace_final_wait_ms: 500,
    vhost: { __defaultVhost__: { cluster, ...sections }, ...vhosts },
  };
}
