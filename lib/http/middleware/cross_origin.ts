import type { MiddlewareHandler } from "hono";
import { refusal } from "./answer.ts";

/** As SRS answers a page of another origin: it may read, without credentials. It may change nothing, which SRS lets it. */
const HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, HEAD, POST",
  "Access-Control-Allow-Headers": "*",
  "Access-Control-Expose-Headers": "*",
  "Access-Control-Allow-Credentials": "false",
  "Access-Control-Request-Private-Network": "true",
};

/** Lets pages of other origins use what follows, or not; answers every `OPTIONS` itself: 200, or 405 when not allowed. */
export function crossOrigin(isAllowed: boolean): MiddlewareHandler {
  return async function crossOriginMiddleware(c, next) {
    if (c.req.method !== "OPTIONS") await next();
    else if (isAllowed) c.res = new Response(null, { status: 200 });
    else c.res = refusal(c, 405, "Cross-origin requests are not allowed: crossdomain is off");
    if (!isAllowed || c.req.header("Origin") === undefined) return;
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  };
}
