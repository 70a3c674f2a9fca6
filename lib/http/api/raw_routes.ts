// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Handler, Hono } from "hono";
import { failure, resource } from "../middleware/answer.ts";
import type { ApiOptions } from "./api_options.ts";
import { refuseForeignPage } from "../middleware/foreign_page.ts";
import { ReloadRunner } from "./reload_runner.ts";

/** `/api/v1/raw`: the settings of the raw API itself, and reloading the configuration. Answered without the envelope, as by SRS. */
export function addRawRoutes(
  app: Hono,
  options: Pick<ApiOptions, "rawApi" | "listen" | "crossdomain" | "reload" | "reloads">,
): void {
  const { enabled, allowReload } = options.rawApi;
  const runner = options.reloads ?? new ReloadRunner(options.reload);
  const settings = {
    enabled: true,
    listen: options.listen,
    crossdomain: options.crossdomain,
    raw_api: { enabled, allow_reload: allowReload, allow_query: false, allow_update: false },
  };
  const answer: Handler = (c) => {
    const call = c.req.query("rpc");
    if (call === "raw") return c.json({ code: 0, http_api: settings });
    if (!enabled) return failure(c, "rawDisabled");
    switch (call) {
      case "reload": {
        if (!allowReload) return failure(c, "rawDisabled");
        const refused = refuseForeignPage(c);
        if (refused !== undefined) return refused;
        runner.request();
        return c.json({ code: 0 });
      }
      case "reload-fetch":
        return c.json({ code: 0, data: runner.report });
      default:
        return failure(c, "rawFailed");
    }
  };
  resource(app, "/api/v1/raw", { GET: answer, POST: answer });
}
