import type { Hono } from "hono";
import { resource } from "../middleware/answer.ts";
import { consolePage } from "./console_page.ts";

/**
 * `/console/`: one page for people, which reads the API as any program would.
 *
 * @param playersPorts Ports of the players' page, by the protocol of the console; where there is none, streams have no link to it.
 */
export function addConsoleRoutes(app: Hono, playersPorts: { http?: number; https?: number } = {}): void {
  resource(app, "/console", {
    GET: (c) => {
      const nonce = crypto.randomUUID();
      const playersPort = c.req.url.startsWith("https:") ? playersPorts.https : playersPorts.http;
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
