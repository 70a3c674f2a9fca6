import type { Context, Handler, Hono } from "hono";
import type { ServerView } from "../server_view.ts";

/** SRS's numbers for requests that it refuses (`srs_kernel_error.hpp`). */
export const SRS_CODE = {
  rawFailed: 1060,
  rawDisabled: 1061,
  vhostNotFound: 2014,
  streamNotFound: 2048,
  clientNotFound: 2049,
} as const;

type Json = Readonly<Record<string, unknown>>;

/** What SRS puts around each answer: code 0 and who answers. `pid` is a string here, and only here. */
export function envelope(view: ServerView, payload: Json = {}): Json {
  return { code: 0, server: view.serverId, service: view.serviceId, pid: String(view.pid), ...payload };
}

/** SRS's answer to a request that makes no sense to it: HTTP 200, and the reason as a number. */
export function failure(context: Context, code: number): Response {
  return context.json({ code });
}

/** A path and what answers each method on it. `HEAD` is answered as `GET`; a method without a handler gets 405. */
export function resource(
  app: Hono,
  path: string,
  handlers: Readonly<Partial<Record<"GET" | "POST" | "DELETE", Handler>>>,
): void {
  const allowed = Object.keys(handlers).join(", ");
  app.all(path, (context, next) => {
    const method = context.req.method === "HEAD" ? "GET" : context.req.method;
    const handler = handlers[method as keyof typeof handlers];
    if (handler !== undefined) return handler(context, next);
    return context.json({ code: 405 }, 405, { Allow: allowed });
  });
}

/** The page of a listing that `?start=` and `?count=` ask for: from the start-th on, at least 10 (as in SRS). */
export function page<T>(context: Context, items: Iterable<T>): T[] {
  const start = Math.max(0, leadingInteger(context.req.query("start")));
  const count = Math.max(10, leadingInteger(context.req.query("count")));
  const taken: T[] = [];
  let index = 0;
  for (const item of items) {
    if (index >= start + count) break;
    if (index >= start) taken.push(item);
    index += 1;
  }
  return taken;
}

function leadingInteger(text: string | undefined): number {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isSafeInteger(value) ? value : 0;
}
