import type { Context, Handler, Hono } from "hono";
import type { ClusterNodesJson, ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal, resource } from "../middleware/answer.ts";

const SIGNATURE_HEADER = "X-Headwater-Signature";

/**
 * `/api/v1/clusters`, SRS's question for the owner of a stream, with `/node` and `/nodes`, by which Headwater nodes know each other.
 * Where a secret is set, who does not sign with it gets 401.
 */
export function addClustersRoutes(app: Hono, view: ClusterView): void {
  const find: Handler = (c) => {
    const isVisible = admit(c, view);
    if (isVisible === undefined) return refused(c, view);
    const { target } = requestTarget(c);
    const parameters = rawParameters(target);
    const parameter = (name: string) => parameters.get(name) ?? "";
    const query = {
      ip: parameter("ip"),
      vhost: parameter("vhost"),
      app: parameter("app"),
      stream: parameter("stream"),
    };
    const vhost = view.vhostName(query.vhost);
    if (vhost !== undefined && !isVisible(vhost)) return refused(c, view);
    const origin = view.streamOrigin({
      vhost: query.vhost,
      app: query.app,
      stream: query.stream.replace(/(.)\.flv$/, "$1"),
      coworker: parameter("coworker"),
    });
    return c.json({
      code: 0,
      data: {
        query,
        origin: origin && {
          ip: origin.ip,
          port: origin.port,
          vhost: origin.vhost,
          api: origin.api,
          routers: [origin.api],
        },
      },
    });
  };
  resource(app, "/api/v1/clusters", { GET: find, POST: find });

  resource(app, "/api/v1/clusters/node", {
    GET: (c) => {
      const isVisible = admit(c, view);
      if (isVisible === undefined) return refused(c, view);
      const revision = c.req.query("since");
      const bootId = c.req.query("boot");
      return tagged(
        c,
        view.stateETag,
        () => {
          if (revision === undefined || bootId === undefined || !/^\d{1,15}$/.test(revision)) {
            return view.nodeState(isVisible);
          }
          return view.nodeState(isVisible, { bootId, revision: Number(revision) });
        },
      );
    },
  });

  resource(app, "/api/v1/clusters/nodes", {
    GET: (c) => {
      const isVisible = admit(c, view);
      if (isVisible === undefined) return refused(c, view);
      const withStreams = c.req.query("streams") !== "false";
      return tagged(
        c,
        view.nodesETag,
        (): ClusterNodesJson => ({ nodes: view.nodes(isVisible, withStreams) }),
      );
    },
  });
}

function admit(context: Context, view: ClusterView): VhostFilter | undefined {
  const { method, target } = requestTarget(context);
  return view.admit({ method, target, signature: context.req.header(SIGNATURE_HEADER) });
}

function requestTarget(context: Context): { method: string; target: string } {
  const { pathname, search } = new URL(context.req.url);
  return { method: context.req.method, target: pathname + search };
}

function refused(context: Context, view: ClusterView): Response {
  const message = "Unauthorized: cluster.secret is set, and the request is not signed with it";
  return refusal(context, 401, message, { "WWW-Authenticate": view.challenge });
}

/** The data, or 304 when the asker has it. */
function tagged(context: Context, etag: string, data: () => object): Response {
  const headers = { ETag: etag, "Cache-Control": "no-cache" };
  const known = (context.req.header("If-None-Match") ?? "").split(",").map((tag) => tag.trim());
  if (known.includes(etag)) return context.body(null, 304, headers);
  return context.json({ code: 0, data: data() }, 200, headers);
}

/**
 * The parameters of a query, percent-encoded or raw as SRS sends them: a `+` is a plus, and a `%` that encodes nothing is a percent
 * sign. The first of a name counts.
 */
function rawParameters(target: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const start = target.indexOf("?");
  if (start < 0) return parameters;
  for (const pair of target.slice(start + 1).split("&")) {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? "" : decoded(pair.slice(equals + 1)));
  }
  return parameters;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
