import type { Context, Hono } from "hono";
import type { ServerView } from "../server_view.ts";
import { envelope, failure } from "../middleware/answer.ts";

/** Headers that are a secret of whoever sent the request: a page that reads this answer may be another one. */
const SECRET_HEADERS = new Set(["authorization", "proxy-authorization", "cookie"]);

/**
 * `/api/v1/tests/…`, for people who write clients: the request as it arrived, an error, a redirect. Each takes any method.
 *
 * @param now Milliseconds since 1970.
 */
export function addTestsRoutes(app: Hono, view: ServerView, now: () => number): void {
  app.all("/api/v1/tests/requests", (c) => {
    const url = new URL(c.req.url);
    const data = {
      uri: url.pathname + url.search,
      path: url.pathname,
      METHOD: c.req.method,
      headers: visibleHeaders(c),
      // SRS writes these over the headers, by mistake, misspelled.
      server: { sigature: "Headwater", version: view.version, link: "", time: now() },
    };
    return c.json(envelope(view, { data }));
  });
  app.all("/api/v1/tests/errors", (c) => failure(c, "test"));
  app.all("/api/v1/tests/redirects", (c) => c.redirect("/api/v1/tests/errors", 301));
}

function visibleHeaders(context: Context): Record<string, string> {
  return Object.fromEntries(
    Object.entries(context.req.header()).filter(([name]) => !SECRET_HEADERS.has(name)),
  );
}
