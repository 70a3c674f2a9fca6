import type { Hono } from "hono";
import type { MediaPlay } from "../net/media_sink.ts";
import type { HttpExchange, HttpHandler } from "./server/http_handler.ts";

/** What a route is given beside the request, as Hono's environment, and what it may answer beside the response. */
export interface AppBindings extends HttpExchange {
  /** Set by a route: see `HttpAnswer`. Middleware still handles the response, whose headers are the play's. */
  play?: MediaPlay;
  isEndless?: boolean;
}

/** A Hono app as the handler of a server. */
export function appHandler(app: Hono): HttpHandler {
  return async (request, exchange) => {
    const bindings: AppBindings = { ...exchange };
    const response = await app.fetch(request, bindings);
    const { play, isEndless = false } = bindings;
    return { response, isEndless, ...(play === undefined ? {} : { play }) };
  };
}
