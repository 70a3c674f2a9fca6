// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Handler, Hono } from "hono";
import { failure, resource } from "../middleware/answer.ts";
import type { ApiOptions } from "./api_options.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import { ReloadRunner } from "./reload_runner.ts";

/** `/api/v1/raw`: the settings of the raw API itself, and reloading the configuration. Answered without the envelope, as by SRS. */
export function addRawRoutes(
  app: Hono,
  options: Pick<ApiOptions, "listen" | "crossdomain" | "reload" | "reloads">,
  guard: ChangeGuard,
): void {
  const runner = options.reloads ?? new ReloadRunner(options.reload);
  const settings = {
    enabled: true,
    listen: options.listen,
    crossdomain: options.crossdomain,
    raw_api: { enabled: true, allow_reload: true, allow_query: false, allow_update: false },
  };
  const answer: Handler = (c) => {
    const call = c.req.query("rpc");
    if (call === "raw") return c.json({ code: 0, http_api: settings });
    switch (call) {
      case "reload": {
        const refused = guard(c);
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
