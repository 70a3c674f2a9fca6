import type { Hono } from "hono";
import type { HttpHandler, HttpPeer, WebSocketAnswer } from "./http_listener.ts";

/** What a route is given beside the request, as Hono's environment. */
export interface AppBindings {
  readonly peer: HttpPeer;
  /** Set by a route that wants a WebSocket: its response is then of no account, since middleware still handles the request after it. */
  webSocket?: WebSocketAnswer;
}

/** A Hono app as the handler of a listener. */
export function appHandler(app: Hono): HttpHandler {
  return async (request, peer) => {
    const bindings: AppBindings = { peer };
    const response = await app.fetch(request, bindings);
    return bindings.webSocket ?? response;
  };
}
