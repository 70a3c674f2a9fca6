import type { Hono } from "hono";
import * as z from "zod/mini";
import { envelope, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { ServerView } from "../server_view.ts";

/** The last warnings and errors of the log, newest last. */
export const LOGS = z.object({
  lines: z.array(z.object({
    /** Milliseconds since 1970. */
    at_ms: z.number(),
    level: z.enum(["warning", "error", "fatal"]),
    category: z.string(),
    message: z.string(),
    properties: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })),
  /** How many older ones are no longer kept. */
  dropped: z.number(),
});

export type LogsJson = z.output<typeof LOGS>;

/** `/api/v1/logs`, for those who may change things: it names clients and what failed. */
export function addLogsRoutes(app: Hono, view: ServerView, guard: ChangeGuard): void {
  resource(app, "/api/v1/logs", {
    GET: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      const { lines, dropped } = view.recentLog();
      const data: LogsJson = {
        lines: lines.map(({ atMs, level, category, message, properties }) => ({
          at_ms: atMs,
          level,
          category,
          message,
          properties: { ...properties },
        })),
        dropped,
      };
      return c.json(envelope(view, { data }));
    },
  });
}
