import type { AskedNodeJson, ClusterReply, ClusterView, VhostFilter } from "../cluster_view.ts";
import type { ServerView } from "../server_view.ts";
import {
  type ClientFilter,
  type ClusterClientJson,
  MAX_NODE_CLIENTS,
  NODE_CLIENTS,
  nodeClients,
  type NodeClientsJson,
  selectClients,
} from "./cluster_clients.ts";
import type { ListQuery } from "./listing.ts";
import { SharedAnswers } from "./shared_answers.ts";
import { readSrsClients } from "./srs_clients.ts";

export const NODE_CLIENTS_PATH = "/api/v1/clusters/node/clients";
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What `/api/v1/clusters/clients` holds as `data`. */
export interface ClusterClientsJson {
  /** How many match. */
  readonly total: number;
  readonly clients: readonly ClusterClientJson[];
  /** Whom the list is from; `clients`: of how many each told that match. */
  readonly nodes: readonly (Omit<AskedNodeJson, "streams"> & { readonly clients: number })[];
}

/** The clients of this node and of all. */
export class ClusterClients {
  readonly #view: ServerView;
  readonly #cluster: ClusterView;
  readonly #now: () => number;
  readonly #replies: SharedAnswers<readonly ClusterReply[]>;

  constructor(view: ServerView, cluster: ClusterView, now: () => number) {
    this.#view = view;
    this.#cluster = cluster;
    this.#now = now;
    this.#replies = new SharedAnswers(now);
  }

  /** Those of this node that can be on the page that is asked for. */
  own(query: ListQuery, filter: ClientFilter, isVisible: VhostFilter): NodeClientsJson {
    const visible = [...nodeClients(this.#view)].filter(({ vhost }) => isVisible(vhost));
    const clients = selectClients(visible, query, filter);
    return { total: clients.length, clients: clients.slice(0, query.start + query.count) };
  }

  /**
   * A page of all. Each node sorts and searches its own, and tells no more of them than can be on the page.
   *
   * @throws {TooBusy} See `SharedAnswers`.
   */
  async all(query: ListQuery, filter: ClientFilter, isVisible: VhostFilter): Promise<ClusterClientsJson> {
    const parameters = clientParameters(query, filter);
    const replies = await this.#replies.get(parameters, () =>
      this.#cluster.ask({
        method: "GET",
        path: `${NODE_CLIENTS_PATH}?${parameters}`,
        srsPath: `/api/v1/clients?start=0&count=${MAX_NODE_CLIENTS}`,
        maxBytes: MAX_ANSWER_BYTES,
      }));
    const own = this.own(query, filter, isVisible);
    const told = replies.map((reply) => this.#read(reply, query, filter, isVisible));
    const rows: ClusterClientJson[] = [
      ...own.clients.map((client) => ({ ...client, node: "self", node_id: this.#view.serverId })),
      ...told.flatMap(({ node, data }) =>
        data.clients.map((client) => ({ ...client, node: node.name, node_id: node.node_id ?? node.name }))
      ),
    ];
    const sorted = selectClients(rows, { ...query, text: "" }, {});
    return {
      total: told.reduce((sum, { data }) => sum + data.total, own.total),
      clients: sorted.slice(query.start, query.start + query.count),
      nodes: [
        { name: "self", self: true, node_id: this.#view.serverId, clients: own.total },
        ...told.map(({ node, data }) => ({ ...node, clients: data.total })),
      ],
    };
  }

  #read(reply: ClusterReply, query: ListQuery, filter: ClientFilter, isVisible: VhostFilter): {
    node: Omit<AskedNodeJson, "streams">;
    data: NodeClientsJson;
  } {
    const { name, coworker, tookMs, answer } = reply;
    let { error } = reply;
    let data: NodeClientsJson | undefined;
    if (answer !== undefined) {
      if (answer.status === 404) error = "it is an earlier version, which does not tell";
      else if (answer.status !== 200) error = `HTTP ${answer.status}`;
      else {
        data = coworker?.kind === "srs"
          ? this.#ofSrs(answer.value, query, filter)
          : NODE_CLIENTS.safeParse(answer.value["data"]).data;
        if (data === undefined) error = "its list of clients can't be read";
      }
    }
    const nodeId = coworker?.node?.nodeId;
    const { total, clients } = data ?? { total: 0, clients: [] };
    return {
      node: {
        name,
        self: false,
        ...(nodeId === undefined ? {} : { node_id: nodeId }),
        ...(tookMs === undefined ? {} : { took_ms: Math.round(tookMs * 10) / 10 }),
        ...(error === undefined ? {} : { error }),
      },
      data: { total, clients: clients.filter(({ vhost }) => isVisible(vhost)) },
    };
  }

  /** SRS neither sorts nor searches itself. */
  #ofSrs(
    answer: Readonly<Record<string, unknown>>,
    query: ListQuery,
    filter: ClientFilter,
  ): NodeClientsJson | undefined {
    const all = readSrsClients(answer, this.#now());
    const clients = all && selectClients(all, query, filter);
    return clients && { total: clients.length, clients: clients.slice(0, query.start + query.count) };
  }
}

function clientParameters(
  { text, sort, isDescending, start, count }: ListQuery,
  filter: ClientFilter,
): string {
  return new URLSearchParams({
    search: text,
    sort: `${isDescending ? "-" : ""}${sort}`,
    start: "0",
    count: String(start + count),
    url: filter.url ?? "",
    type: filter.type ?? "",
  }).toString();
}
