import type { Context, Hono } from "hono";
import type { AskedNodeJson, ClusterReply, ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { ServerView } from "../server_view.ts";
import { clusterAccess } from "./cluster_access.ts";
import {
  CLIENT_ORDERS,
  type ClientFilter,
  type ClusterClientJson,
  MAX_NODE_CLIENTS,
  NODE_CLIENTS,
  nodeClients,
  type NodeClientsJson,
  readClientFilter,
  selectClients,
} from "./cluster_clients.ts";
import { kickAtNode, kickInCluster } from "./cluster_kick.ts";
import { sensible } from "./cluster_errors.ts";
import { type ListQuery, readListQuery } from "./listing.ts";
import { SharedAnswers } from "./shared_answers.ts";
import { readSrsClients } from "./srs_clients.ts";

const PATH = "/api/v1/clusters/clients";
const NODE_PATH = "/api/v1/clusters/node/clients";
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What `/api/v1/clusters/clients` holds as `data`. */
export interface ClusterClientsJson {
  /** How many match. */
  readonly total: number;
  readonly clients: readonly ClusterClientJson[];
  /** Whom the list is from; `clients`: of how many each told that match. */
  readonly nodes: readonly (Omit<AskedNodeJson, "streams"> & { readonly clients: number })[];
}

export interface ClusterClientsOptions {
  readonly view: ServerView;
  readonly cluster: ClusterView;
  /** Whether the API asks for credentials. */
  readonly hasAuth: boolean;
  /** Who may disconnect clients. */
  readonly guard: ChangeGuard;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * `/api/v1/clusters/clients`, those of all nodes, and `/api/v1/clusters/node/clients`, by which a node tells others of its own. `DELETE` of
 * one disconnects it, wherever it is.
 */
export function addClusterClientsRoutes(app: Hono, options: ClusterClientsOptions): void {
  const { view, cluster, hasAuth, guard, now } = options;
  const access = clusterAccess(cluster, hasAuth);
  const lists = new ClusterClients(view, cluster, now);
  const seen = (c: Context, isVisible: VhostFilter | Response, data: (isVisible: VhostFilter) => unknown) =>
    isVisible instanceof Response
      ? isVisible
      : sensible(c, async () => c.json({ code: 0, data: await data(isVisible) }));

  resource(app, PATH, {
    GET: (c) =>
      seen(c, access.forPeople(c), (isVisible) => {
        const query = c.req.query();
        return lists.all(
          readListQuery(query, Object.keys(CLIENT_ORDERS)),
          readClientFilter(query),
          isVisible,
        );
      }),
  });
  resource(app, NODE_PATH, {
    GET: (c) =>
      seen(c, access.forNodes(c), (isVisible) => {
        const query = c.req.query();
        const page = readListQuery(query, Object.keys(CLIENT_ORDERS), MAX_NODE_CLIENTS);
        return lists.own(page, readClientFilter(query), isVisible);
      }),
  });
  resource(app, `${PATH}/:id`, {
    DELETE: async (c) => {
      const isVisible = access.forPeople(c);
      if (isVisible instanceof Response) return isVisible;
      return guard(c) ?? await kickInCluster(c, view, cluster, isVisible);
    },
  });
  resource(app, `${NODE_PATH}/:id`, {
    DELETE: (c) => {
      const isVisible = access.forNodes(c);
      if (isVisible instanceof Response) return isVisible;
      // A node that has signed has asked its own guard; without a secret anybody could say that he is a node.
      const isSigned = cluster.hasSecret && !access.isTrusted(c);
      const refused = isSigned ? undefined : guard(c);
      if (refused !== undefined) return refused;
      const isKnown: VhostFilter = (vhost) => isVisible(vhost) && (!isSigned || cluster.isSecret(vhost));
      return kickAtNode(c, view, isKnown) ??
        refusal(c, 404, "Cannot find the client: no client of this node has this id");
    },
  });
}

/** The clients of this node and of all. */
class ClusterClients {
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
        path: `${NODE_PATH}?${parameters}`,
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
