import type { Context, Handler, Hono } from "hono";
import type { ServerView } from "../server_view.ts";

/** Requests that make no sense to SRS: its number (`srs_kernel_error.hpp`), and what we say with it. */
const FAILURES = {
  test: { code: 100, message: "Test error, as requested" },
  clientGone: { code: 400, message: "Cannot disconnect the client: it has just left" },
  rawFailed: { code: 1060, message: "Unknown rpc: must be raw, reload or reload-fetch" },
  vhostNotFound: { code: 2014, message: "Cannot find the vhost: no vhost has this id" },
  streamNotFound: { code: 2048, message: "Cannot find the stream: no stream has this id" },
  clientNotFound: { code: 2049, message: "Cannot find the client: no client has this id" },
} as const;

/** What SRS puts around each answer. */
export interface EnvelopeJson {
  readonly code: 0;
  /** Who answers, as `ServerView` names it. */
  readonly server: string;
  readonly service: string;
  /** A string here, and only here. */
  readonly pid: string;
}

/** An answer of the API: code 0, who answers, and what was asked for. */
export function envelope(view: ServerView): EnvelopeJson;
export function envelope<T extends object>(view: ServerView, payload: T): EnvelopeJson & T;
export function envelope(view: ServerView, payload: object = {}): EnvelopeJson {
  return { code: 0, server: view.serverId, service: view.serviceId, pid: String(view.pid), ...payload };
}

/** SRS's answer to a request that makes no sense to it: HTTP 200, and the reason as a number; in words too, which SRS has not. */
export function failure(context: Context, name: keyof typeof FAILURES): Response {
  return context.json(FAILURES[name]);
}

/** The answer to a request that is refused as HTTP refuses: the status, again as `code`, and why. */
export function refusal(
  context: Context,
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 429 | 500 | 502 | 503,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return context.json({ code: status, message }, status, headers);
}

/** 405 for a method that a path does not take. */
export function methodRefusal(context: Context, allowed: string): Response {
  const { method, path } = context.req;
  return refusal(context, 405, `Cannot ${method} ${path}: use ${allowed}`, { Allow: allowed });
}

/** The methods that each path of an app takes, in the order in which they were added. */
const resources = new WeakMap<Hono, Map<string, readonly string[]>>();

/** What was added to an app by `resource`: paths, as Hono writes them, with their methods. */
export function resourcesOf(app: Hono): ReadonlyMap<string, readonly string[]> {
  return resources.get(app) ?? new Map();
}

/** A path and what answers each method on it. `HEAD` is answered as `GET`; a method without a handler gets 405. */
export function resource(
  app: Hono,
  path: string,
  handlers: Readonly<Partial<Record<"GET" | "POST" | "DELETE", Handler>>>,
): void {
  const methods = Object.keys(handlers);
  const known = resources.get(app) ?? new Map<string, readonly string[]>();
  resources.set(app, known.set(path, methods));
  const allowed = methods.join(", ");
  app.all(path, (context, next) => {
    const method = context.req.method === "HEAD" ? "GET" : context.req.method;
    const handler = handlers[method as keyof typeof handlers];
    if (handler !== undefined) return handler(context, next);
    return methodRefusal(context, allowed);
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
