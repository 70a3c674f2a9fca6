import type { Context, Next } from "hono";
import { refusal } from "./answer.ts";

/** Names and what stands between them: a callback is code that a page will run. */
const CALLBACK = /^[A-Za-z_$][\w$.[\]]{0,127}$/;

/**
 * JSONP for pages that know nothing better: `?callback=f` gets `f({…})`. For reading only: any page can have a browser send such a
 * request, so `&method=`, which in SRS stands for that method, is refused for all but `GET`.
 */
export async function jsonp(c: Context, next: Next): Promise<Response | void> {
  const callback = c.req.query("callback");
  if (callback === undefined || c.req.method !== "GET") return await next();
  if (!CALLBACK.test(callback)) {
    return refusal(c, 400, "Bad callback: must be the name of a JavaScript function");
  }
  const method = c.req.query("method")?.toUpperCase() ?? "GET";
  if (method !== "GET") {
    c.res = refusal(c, 403, "JSONP cannot change anything: use the HTTP method itself");
  } else {
    await next();
  }
  if (c.res.headers.get("Content-Type")?.startsWith("application/json") !== true) return;
  const headers = new Headers(c.res.headers);
  headers.set("Content-Type", "text/javascript");
  headers.delete("Content-Length");
  const text = `${callback}(${asScript(await c.res.text())})`;
  c.res = new Response(text, { status: c.res.status, headers });
}

/** JSON as JavaScript of any age: two of its line ends may stand in strings of JSON. */
function asScript(json: string): string {
  return json.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
