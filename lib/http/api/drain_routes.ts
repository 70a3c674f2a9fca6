// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import type { Context, Hono } from "hono";
import { inBackground } from "../../base/background.ts";
import { envelope, refusal, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { DrainSummary, ServerView } from "../server_view.ts";

/** Takes the server out of service and back. */
export interface DrainControl {
  /** @param graceMs How long clients may stay, in milliseconds; absent: as configured. */
  beginDrain(graceMs?: number): Promise<void>;
  cancelDrain(): void;
}

/** What `/api/v1/drain` answers as `data`. */
export interface DrainJson {
  readonly state: DrainSummary["state"];
  /** Milliseconds since 1970; null while it is off. */
  readonly started_at_ms: number | null;
  /** When clients that are left are closed; null while it is off. */
  readonly grace_ends_at_ms: number | null;
  readonly moved: { readonly publishers: number; readonly players: number };
  readonly closed: { readonly publishers: number; readonly players: number };
  readonly left: { readonly publishers: number; readonly players: number };
}

const MAX_GRACE_S = 86_400;

/**
 * `/api/v1/drain`: `POST` takes the server out of service, with `?grace_s=` for another grace than configured; `DELETE` takes it back
 * into service; `GET` says how far it is.
 *
 * @param guard Who may change anything.
 */
export function addDrainRoutes(
  app: Hono,
  view: ServerView,
  control: DrainControl,
  guard: ChangeGuard,
): void {
  const answer = (c: Context) => c.json(envelope(view, { data: drainJson(view.drain()) }));
  resource(app, "/api/v1/drain", {
    GET: answer,
    POST: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      const text = c.req.query("grace_s");
      if (text !== undefined && !(/^\d{1,5}$/.test(text) && Number(text) <= MAX_GRACE_S)) {
        return refusal(c, 400, `Cannot drain: grace_s must be a number of seconds from 0 to ${MAX_GRACE_S}`);
      }
      inBackground(control.beginDrain(text === undefined ? undefined : Number(text) * 1000), "drain");
      return answer(c);
    },
    DELETE: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      control.cancelDrain();
      return answer(c);
    },
  });
}

function drainJson(drain: DrainSummary): DrainJson {
  return {
    state: drain.state,
    started_at_ms: drain.startedAtMs ?? null,
    grace_ends_at_ms: drain.graceEndsAtMs ?? null,
    moved: { publishers: drain.movedPublishers, players: drain.movedPlayers },
    closed: { publishers: drain.closedPublishers, players: drain.closedPlayers },
    left: { publishers: drain.publishers, players: drain.players },
  };
}
