import { getLogger } from "@logtape/logtape";
import { Hono } from "hono";
import { crossOrigin } from "./api/cross_origin.ts";
import { addFlvRoutes, type FlvRoutesOptions } from "./flv/flv_routes.ts";

const log = getLogger(["headwater", "http", "streams"]);

export interface StreamAppOptions extends FlvRoutesOptions {
  /** Let pages of other origins play. */
  readonly crossdomain: boolean;
  /** What `Server` in the headers says. */
  readonly signature: string;
}

/**
 * The HTTP server for players: HTTP-FLV and WebSocket-FLV. Holds no socket: hand its `fetch` to a listener, with
 * {@linkcode FlvBindings} as the environment.
 */
export function createStreamApp(options: StreamAppOptions): Hono {
  const app = new Hono({ strict: false });
  app.use(async function server(c, next) {
    await next();
    // The answer to an upgrade is Deno's own, and can't be changed.
    if (c.res.status !== 101) c.res.headers.set("Server", options.signature);
  });
  app.use(crossOrigin(options.crossdomain));
  addStreamRoutes(app, options);
  app.notFound((c) => c.json({ code: 404, message: `Cannot find ${c.req.path}` }, 404));
  app.onError((error, c) => {
    log.error("Request failed", { method: c.req.method, path: c.req.path, error });
    return c.json({ code: 500 }, 500);
  });
  return app;
}

/** The routes alone, for the HTTP API's app when one port serves both. */
export function addStreamRoutes(app: Hono, options: StreamAppOptions): void {
  addFlvRoutes(app, options);
}
