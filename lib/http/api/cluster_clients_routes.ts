import type { Context, Hono } from "hono";
import type { ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { ServerView } from "../server_view.ts";
import { clusterAccess } from "./cluster_access.ts";
import { CLIENT_ORDERS, MAX_NODE_CLIENTS, readClientFilter } from "./cluster_clients.ts";
import { type ClusterClients, NODE_CLIENTS_PATH } from "./cluster_clients_list.ts";
import { kickAtNode, kickInCluster } from "./cluster_kick.ts";
import { sensible } from "./cluster_errors.ts";
import { readListQuery } from "./listing.ts";

const PATH = "/api/v1/clusters/clients";

export interface ClusterClientsOptions {
  readonly view: ServerView;
  readonly cluster: ClusterView;
  /** Whether the API asks for credentials. */
  readonly hasAuth: boolean;
  /** Who may disconnect clients. */
  readonly guard: ChangeGuard;
  readonly lists: ClusterClients;
}

/**
 * `/api/v1/clusters/clients`, those of all nodes, and `/api/v1/clusters/node/clients`, by which a node tells others of its own. `DELETE` of
 * one disconnects it, wherever it is.
 */
export function addClusterClientsRoutes(app: Hono, options: ClusterClientsOptions): void {
  const { view, cluster, hasAuth, guard, lists } = options;
  const access = clusterAccess(cluster, hasAuth);
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
  resource(app, NODE_CLIENTS_PATH, {
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
  resource(app, `${NODE_CLIENTS_PATH}/:id`, {
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
