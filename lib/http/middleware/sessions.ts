import { createHash } from "node:crypto";
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { isForeign } from "./changes.ts";

/** How long somebody stays logged in who asks for nothing, in milliseconds. */
export const SESSION_MS: number = 12 * 60 * 60 * 1000;
/** Browsers that are logged in at a time; of more, the one that has asked for nothing for longest is logged out. */
const MAX_SESSIONS = 256;

interface Session {
  /** Of the credentials that it was opened with. */
  readonly mark: string;
  usedMs: number;
}

/** Who has logged in with a browser. Kept in memory: a restart logs everybody out, and so do other credentials. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Begins a session.
   *
   * @param mark Of the credentials; see `markOf`.
   * @returns Its id, which nobody can guess.
   */
  open(mark: string, nowMs: number): string {
    const id = Array.from(
      crypto.getRandomValues(new Uint8Array(32)),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    // In the order of use, oldest first.
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size < MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    this.#sessions.set(id, { mark, usedMs: nowMs });
    return id;
  }

  /** Whether a session is open, which is used by that. */
  use(id: string, mark: string, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    this.#sessions.delete(id);
    if (session.mark !== mark || Math.abs(nowMs - session.usedMs) > SESSION_MS) return false;
    this.#sessions.set(id, { mark, usedMs: nowMs });
    return true;
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }
}

/** Tells credentials apart without keeping them. */
export function markOf(credentials: object): string {
  return createHash("sha256").update(JSON.stringify(credentials)).digest("hex");
}

/** The cookie's name. Of each server another one: cookies don't know ports, and several nodes may be on one machine. */
export function sessionCookie(serverId: string): string {
  return `headwater_session_${serverId.replace(/[^\w-]/g, "_")}`;
}

/**
 * The session that a request says it belongs to; undefined for requests that another site's page may have had the browser send. A page at
 * another port of this host is another site, though the browser sends its cookies along.
 */
export function sessionOf(context: Context, serverId: string): string | undefined {
  if (context.req.query("callback") !== undefined || isForeign(context)) return undefined;
  return getCookie(context, sessionCookie(serverId));
}
