import type { MiddlewareHandler } from "hono";

/** SRS's answer to a page of another origin: it may read, without credentials. */
const HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "*",
  "Access-Control-Allow-Headers": "*",
  "Access-Control-Expose-Headers": "*",
  "Access-Control-Allow-Credentials": "false",
  "Access-Control-Request-Private-Network": "true",
};

/** Lets pages of other origins use what follows, or not; answers every `OPTIONS` itself: 200, or 405 when not allowed. */
export function crossOrigin(isAllowed: boolean): MiddlewareHandler {
  return async function crossOriginMiddleware(c, next) {
    if (c.req.method === "OPTIONS") c.res = new Response(null, { status: isAllowed ? 200 : 405 });
    else await next();
    if (!isAllowed || c.req.header("Origin") === undefined) return;
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  };
}
