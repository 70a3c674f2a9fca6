import type { Context, Handler, Hono } from "hono";
import type {
  ClusterNodesJson,
  ClusterStreamsJson,
  ClusterStreamsQuery,
  ClusterView,
} from "../cluster_view.ts";
import { refusal, resource } from "../middleware/answer.ts";
import { admit, type ClusterAccess, clusterAccess, requestTarget, unsigned } from "./cluster_access.ts";

const SORT_KEYS: readonly ClusterStreamsQuery["sort"][] = [
  "name",
  "owner",
  "viewers",
  "recv_kbps",
  "send_kbps",
  "fps",
  "key_frame_interval_s",
];
const DEFAULT_COUNT = 100;
const MAX_COUNT = 1000;
const MAX_SEARCH_LENGTH = 200;

/**
 * `/api/v1/clusters`, SRS's question for the owner of a stream, with `/node` and `/nodes`, by which Headwater nodes know each other.
 * Where a secret is set, who does not sign with it gets 401; people who have logged in, or, where nobody can, ask from this machine, may
 * see `/nodes` and `/streams`.
 *
 * @param hasAuth Whether the API asks for credentials.
 */
export function addClustersRoutes(app: Hono, view: ClusterView, hasAuth: boolean = false): void {
  const access = clusterAccess(view, hasAuth);
  addStreamsRoutes(app, view, access, hasAuth);
  const find: Handler = (c) => {
    const isVisible = admit(c, view);
    if (isVisible === undefined) return unsigned(c, view);
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
    if (vhost !== undefined && !isVisible(vhost)) return unsigned(c, view);
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
      if (isVisible === undefined) return unsigned(c, view);
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
      const isVisible = access.isTrusted(c) ? () => true : admit(c, view);
      if (isVisible === undefined) return unsigned(c, view);
      const withStreams = c.req.query("streams") !== "false";
      return tagged(
        c,
        view.nodesETag,
        (): ClusterNodesJson => ({ nodes: view.nodes(isVisible, withStreams) }),
      );
    },
  });
}

/** `/node/streams`, by which a node tells others of its streams, and `/streams`, by which people see those of all. */
function addStreamsRoutes(
  app: Hono,
  view: ClusterView,
  access: ClusterAccess,
  hasAuth: boolean,
): void {
  resource(app, "/api/v1/clusters/node/streams", {
    GET: (c) => {
      const isVisible = admit(c, view);
      if (isVisible === undefined) return unsigned(c, view);
      return c.json({
        code: 0,
        data: { streams: view.nodeStreams(isVisible, !hasAuth || access.isTrusted(c)) },
      });
    },
  });
  resource(app, "/api/v1/clusters/streams", {
    GET: async (c) => {
      const isVisible = access.forPeople(c);
      if (isVisible instanceof Response) return isVisible;
      const query = streamsQuery(c);
      if (typeof query === "string") return refusal(c, 400, query);
      const data: ClusterStreamsJson = await view.clusterStreams(isVisible, query);
      return c.json({ code: 0, data });
    },
  });
}

/** What part of the list is asked for; a text: why it can't be given. */
export function streamsQuery(context: Context): ClusterStreamsQuery | string {
  const { search = "", sort = "name", start = "0", count = String(DEFAULT_COUNT) } = context.req.query();
  if (search.length > MAX_SEARCH_LENGTH) {
    return `Cannot search: search is ${search.length} characters long, limit is ${MAX_SEARCH_LENGTH}`;
  }
  const isDescending = sort.startsWith("-");
  const key = SORT_KEYS.find((name) => name === sort.replace(/^-/, ""));
  if (key === undefined) {
    return `Cannot sort by '${sort.slice(0, 40)}': use one of ${
      SORT_KEYS.join(", ")
    }, with a '-' before it for the reverse order`;
  }
  for (const [name, value] of [["start", start], ["count", count]]) {
    if (!/^\d{1,9}$/.test(value ?? "")) {
      return `Cannot list: ${name} is '${value?.slice(0, 40)}', must be a number`;
    }
  }
  return { search, sort: key, isDescending, start: Number(start), count: Math.min(Number(count), MAX_COUNT) };
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
