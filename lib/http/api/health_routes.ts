import type { Hono } from "hono";
import type { ServerView } from "../server_view.ts";
import { resource } from "../middleware/answer.ts";

/** `/healthz`: the process answers. `/readyz`: new clients are welcome; 503 while it starts or drains. */
export function addHealthRoutes(app: Hono, view: ServerView): void {
  resource(app, "/healthz", { GET: (c) => c.json({ status: "ok" }) });
  resource(app, "/readyz", {
    GET: (c) => {
      const readiness = view.readiness();
      return readiness.isReady
        ? c.json({ status: "ready" })
        : c.json({ status: "not ready", reason: readiness.reason }, 503);
    },
  });
}
