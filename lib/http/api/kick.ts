import type { Context } from "hono";
import { envelope, refusal } from "../middleware/answer.ts";
import type { ClientSummary, ServerView } from "../server_view.ts";

/** What an answer to the disconnecting of several clients holds besides the envelope. */
export interface KickedJson {
  /** How many were disconnected. */
  readonly kicked: number;
}

/** Disconnects clients, and answers with how many there were. */
export function kickAll(context: Context, view: ServerView, clients: readonly ClientSummary[]): Response {
  let kicked = 0;
  for (const { id } of clients) if (view.kick(id)) kicked++;
  return context.json(envelope<KickedJson>(view, { kicked }));
}

/**
 * Disconnects the clients that a query names: `?ip=ADDRESS`, `?stream=[VHOST]/APP/STREAM`, `?type=publish` or `play`, or several of
 * these, all of which must then be so.
 *
 * @returns Undefined when the query names nobody.
 */
export function kickByQuery(context: Context, view: ServerView): Response | undefined {
  const { ip, stream, type } = context.req.query();
  if (ip === undefined && stream === undefined) {
    if (type === undefined) return undefined;
    return refusal(context, 400, "Cannot disconnect every client of a type: name ip or stream as well");
  }
  if (type !== undefined && type !== "publish" && type !== "play") {
    return refusal(context, 400, "Cannot disconnect clients: type must be publish or play");
  }
  const key = stream === undefined ? undefined : stream.replace(/^\//, "");
  return kickAll(
    context,
    view,
    [...view.clients()].filter((client) =>
      (ip === undefined || client.ip === ip) &&
      (key === undefined || client.url.replace(/^\//, "") === key) &&
      (type === undefined || client.isPublisher === (type === "publish"))
    ),
  );
}
