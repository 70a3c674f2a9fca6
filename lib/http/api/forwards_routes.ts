// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of SRS's
import type { Hono } from "hono";
import type { ForwardSummary, ServerView } from "../server_view.ts";
import { envelope, page, resource } from "../middleware/answer.ts";

/** A stream that is sent on to another server; see `ForwardSummary`. */
export interface ForwardJson {
  /** The vhost's name. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly to: string;
  readonly url: string;
  readonly state: ForwardSummary["state"];
  /** Milliseconds since 1970. */
  readonly since_ms: number;
  readonly send_bytes: number;
  readonly retries: number;
  readonly last_error: string | null;
}

/** What `/api/v1/forwards` holds besides the envelope. */
export interface ForwardsJson {
  readonly forwards: readonly ForwardJson[];
}

/** `/api/v1/forwards`: a page of the streams that are sent on to other servers. */
export function addForwardsRoutes(app: Hono, view: ServerView): void {
  resource(app, "/api/v1/forwards", {
    GET: (c) => c.json(envelope<ForwardsJson>(view, { forwards: page(c, view.forwards()).map(forwardJson) })),
  });
}

function forwardJson(forward: ForwardSummary): ForwardJson {
  return {
    vhost: forward.vhost,
    app: forward.app,
    stream: forward.stream,
    to: forward.to,
    url: forward.url,
    state: forward.state,
    since_ms: forward.stateSinceMs,
    send_bytes: forward.sentBytes,
    retries: forward.retries,
    last_error: forward.lastError ?? null,
  };
}
