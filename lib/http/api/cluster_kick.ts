import type { Context } from "hono";
import type { ClusterReply, ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal } from "../middleware/answer.ts";
import type { ServerView } from "../server_view.ts";
import { nodeClients } from "./cluster_clients.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
/** Ids are 7 or 8 characters at Headwater and SRS. */
const ID = /^[\w-]{1,64}$/;

/** What the disconnecting of a client holds as `data`. */
export interface ClusterKickJson {
  /** Id of the node where it was; of SRS its name. */
  readonly node: string;
}

/** Disconnects a client of this node; undefined where it has no such client that the asker may know. */
export function kickAtNode(context: Context, view: ServerView, isVisible: VhostFilter): Response | undefined {
  const id = context.req.param("id") ?? "";
  for (const client of nodeClients(view)) {
    if (client.id !== id) continue;
    return isVisible(client.vhost) && view.kick(id) ? kicked(context, view.serverId) : undefined;
  }
  return undefined;
}

/** Disconnects a client of any node: `?node=` says of which, by its id; without it every node is asked. */
export async function kickInCluster(
  context: Context,
  view: ServerView,
  cluster: ClusterView,
  isVisible: VhostFilter,
): Promise<Response> {
  const id = context.req.param("id") ?? "";
  const node = context.req.query("node");
  if (!ID.test(id)) {
    return refusal(context, 400, "Cannot disconnect: the client's id must be letters, digits, _ and -");
  }
  const isSelf = node === view.serverId;
  const here = node === undefined || isSelf ? kickAtNode(context, view, isVisible) : undefined;
  if (here !== undefined) return here;
  const replies = isSelf ? [] : await cluster.ask({
    method: "DELETE",
    path: `/api/v1/clusters/node/clients/${id}`,
    srsPath: `/api/v1/clients/${id}`,
    maxBytes: MAX_ANSWER_BYTES,
  }, node);
  const done = replies.find(({ answer }) => answer?.status === 200 && answer.value["code"] === 0);
  if (done !== undefined) return kicked(context, done.coworker?.node?.nodeId ?? done.name);
  const failed = replies.find((reply) => !hasNone(reply));
  if (failed === undefined) {
    return refusal(context, 404, `Cannot find the client: no client of ${node ?? "the cluster"} has this id`);
  }
  const why = failed.error ?? refusalText(failed.answer?.status ?? 0);
  return refusal(context, 502, `Cannot disconnect the client at ${failed.name}: ${why}`);
}

function kicked(context: Context, node: string): Response {
  return context.json({ code: 0, data: { node } satisfies ClusterKickJson });
}

/** Whether a node says that it has no such client; SRS does so with status 200. */
function hasNone({ coworker, answer }: ClusterReply): boolean {
  return answer?.status === 404 || (coworker?.kind === "srs" && answer?.status === 200);
}

function refusalText(status: number): string {
  return status === 401 || status === 403
    ? `HTTP ${status}: without the same cluster.secret at both nodes it takes no changes from here`
    : `HTTP ${status}`;
}
