// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import type { ServerView } from "../server_view.ts";
import { envelope, resource } from "../middleware/answer.ts";

/** What stands under `/api/v1/`. */
const URLS = {
  versions: "the version of this server",
  summaries: "the summary(pid, argv, pwd, cpu, mem) of this server",
  rusages: "the rusage of this server",
  self_proc_stats: "the self process stats",
  system_proc_stats: "the system process stats",
  meminfos: "the meminfo of system",
  authors: "the license and the authors",
  features: "the supported features",
  vhosts: "all vhosts or the specified vhost",
  streams: "all streams or the specified stream; ?start=N&count=N, by default the first 10",
  clients:
    "all clients or the specified client, DELETE kicks it off; ?start=N&count=N, by default the first 10",
  raw: "?rpc=raw|reload|reload-fetch: the raw API's settings, reload the config, how the reload went",
  forwards: "streams that are forwarded to other servers; ?start=N&count=N, by default the first 10",
  recordings: "streams that are recorded; POST ?app=&stream= begins a recording, DELETE of one ends it",
  drain: "how far a drain is, POST drains the server before it stops, DELETE takes it back into service",
  clusters: "origin cluster server API",
  "openapi.json": "this API as an OpenAPI 3.1 document",
  docs: "the same for people",
  logs: "the last warnings and errors of the log, for those who may change something",
  session: "whether one has to log in, POST logs a browser in, DELETE out",
  events: "server-sent events: the nodes and a list of the cluster, when they change",
};

const TESTS = {
  requests: "show the request info",
  errors: "always return an error 100",
  redirects: "always redirect to /api/v1/tests/errors",
};

/** `/`, `/api/` and `/api/v1/`: what there is. */
export function addListingRoutes(app: Hono, view: ServerView): void {
  resource(app, "/", { GET: (c) => c.json(envelope(view, { urls: { api: "the api root" } })) });
  resource(app, "/api", { GET: (c) => c.json(envelope(view, { urls: { v1: "the api version 1.0" } })) });
  resource(app, "/api/v1", { GET: (c) => c.json(envelope(view, { urls: URLS, tests: TESTS })) });
}
