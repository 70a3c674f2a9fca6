import type { Hono } from "hono";
import { resource } from "../middleware/answer.ts";
import { consolePage } from "./console_page.ts";

/**
 * `/console/`: one page for people, which reads the API as any program would.
 *
 * @param playersPort Port of the HTTP server with the players' page; absent: streams have no link to it.
 */
export function addConsoleRoutes(app: Hono, playersPort: number | undefined): void {
  resource(app, "/console", {
    GET: (c) => {
      const nonce = crypto.randomUUID();
      return c.html(consolePage(nonce, playersPort), 200, {
        // Names of streams come from strangers: even one that slipped into the page as markup could not run.
        "Content-Security-Policy":
          `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
          `img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        "Referrer-Policy": "no-referrer",
      });
    },
  });
}
