import type { Context, Hono, MiddlewareHandler } from "hono";

/** Names and what stands between them: a callback is code that a page will run. */
const CALLBACK = /^[A-Za-z_$][\w$.[\]]{0,127}$/;

/**
 * JSONP for pages that know nothing better: `?callback=f` gets `f({…})`, and `&method=DELETE` stands for that method. A request that
 * another site's page had the browser send with the user's password does not get to change the method.
 *
 * @param app Where the request with the other method goes.
 */
export function jsonp(app: Hono): MiddlewareHandler {
  return async function jsonpMiddleware(c, next) {
    const callback = c.req.query("callback");
    if (callback === undefined || c.req.method !== "GET") return await next();
    if (!CALLBACK.test(callback)) return c.json({ code: 400 }, 400);
    const method = c.req.query("method")?.toUpperCase();
    if (method === undefined || method === "GET") await next();
    else if (isForged(c)) return c.json({ code: 403 }, 403);
    else c.res = await app.fetch(withMethod(c, method), c.env);
    if (c.res.headers.get("Content-Type")?.startsWith("application/json") !== true) return;
    const headers = new Headers(c.res.headers);
    headers.set("Content-Type", "text/javascript");
    headers.delete("Content-Length");
    const text = `${callback}(${await c.res.text()})`;
    c.res = new Response(text, { status: c.res.status, headers });
  };
}

function isForged(context: Context): boolean {
  return context.req.header("Authorization") !== undefined &&
    context.req.header("Sec-Fetch-Site") === "cross-site";
}

function withMethod(context: Context, method: string): Request {
  const url = new URL(context.req.url);
  url.searchParams.delete("callback");
  url.searchParams.delete("method");
  return new Request(url, { method, headers: context.req.raw.headers });
}
