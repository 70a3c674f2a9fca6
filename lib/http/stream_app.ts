import { getLogger } from "@logtape/logtape";
import { Hono } from "hono";
import { refusal, resource } from "./middleware/answer.ts";
import { crossOrigin } from "./middleware/cross_origin.ts";
import { addFlvRoutes, type FlvRoutesOptions } from "./flv/flv_routes.ts";
import { addPlayersApi, addPlayersRoutes } from "./players/players_routes.ts";
import type { ClusterStreamJson } from "./cluster_view.ts";
import type { ServerView } from "./server_view.ts";

const log = getLogger(["headwater", "http", "streams"]);

export interface StreamAppOptions extends FlvRoutesOptions {
  /** What the players' page lists; absent: nobody may see it without the API's password. */
  readonly view?: ServerView;
  /** Streams of other nodes of the cluster, for that page; absent: there are none. */
  readonly elsewhere?: () => Promise<readonly ClusterStreamJson[]>;
  /** Let pages of other origins play. */
  readonly crossdomain: boolean;
  /** What `Server` in the headers says. */
  readonly signature: string;
}

/**
 * The HTTP server for players: HTTP-FLV, WebSocket-FLV and `/players/`. Holds no socket: hand it to a listener by `appHandler`.
 */
export function createStreamApp(options: StreamAppOptions): Hono {
  const app = new Hono({ strict: false });
  app.use(async function server(c, next) {
    await next();
    c.res.headers.set("Server", options.signature);
  });
  app.use(crossOrigin(options.crossdomain));
  resource(app, "/", { GET: (c) => c.redirect("/players/", 302) });
  if (options.view !== undefined) {
    addPlayersApi(app, options.view, options.source, options.elsewhere ?? (() => Promise.resolve([])));
  }
  addStreamRoutes(app, options);
  app.notFound((c) => refusal(c, 404, `Cannot find ${c.req.path}`));
  app.onError((error, c) => {
    log.error("Request failed", { method: c.req.method, path: c.req.path, error });
    return refusal(c, 500, "Internal error: see the server's log");
  });
  return app;
}

/** The routes alone, for the HTTP API's app when one port serves both. */
export function addStreamRoutes(app: Hono, options: StreamAppOptions): void {
  addPlayersRoutes(app);
  addFlvRoutes(app, options);
}
