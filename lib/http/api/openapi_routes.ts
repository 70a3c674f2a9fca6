import type { Hono } from "hono";
import { resource, resourcesOf } from "../middleware/answer.ts";
import type { ServerView } from "../server_view.ts";

/**
 * `/api/v1/openapi.json`, the API's own description, and `/api/v1/docs`, the same for people. Both are made when they are asked for first:
 * who starts a server does not wait for them.
 *
 * @param hasAuth Whether the API asks for credentials.
 */
export function addOpenApiRoutes(app: Hono, view: ServerView, hasAuth: boolean): void {
  let made: Promise<{ json: string; html: string }> | undefined;
  const make = async () => {
    const { openApiDocument } = await import("../openapi/document.ts");
    const { documentPage } = await import("../openapi/page.ts");
    const document = openApiDocument({ resources: resourcesOf(app), version: view.version, hasAuth });
    return { json: JSON.stringify(document), html: documentPage(document) };
  };
  resource(app, "/api/v1/openapi.json", {
    GET: async (c) => {
      const { json } = await (made ??= make());
      return c.body(json, 200, { "Content-Type": "application/json", "Cache-Control": "no-cache" });
    },
  });
  resource(app, "/api/v1/docs", {
    GET: async (c) => {
      const { html } = await (made ??= make());
      return c.html(html, 200, {
        // It has no script, and nothing comes from elsewhere.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; " +
          "form-action 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
      });
    },
  });
}
