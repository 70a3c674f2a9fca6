// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import type { Context, Hono } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import * as z from "zod/mini";
import { envelope, refusal, resource } from "../middleware/answer.ts";
import { type ChangeGuard, refuseForeignPage } from "../middleware/changes.ts";
import type { ApiCredentials, CheckCredentials } from "../middleware/credentials.ts";
import { markOf, SESSION_MS, sessionCookie, sessionOf, type Sessions } from "../middleware/sessions.ts";
import type { ServerView } from "../server_view.ts";

const secret = z.string().check(z.minLength(1), z.maxLength(1024));
/** What somebody logs in with. */
export const LOGIN = z.union([
  z.strictObject({ username: secret, password: secret }),
  z.strictObject({ token: secret }),
]);

/** Whether one has to log in, and has. */
export const SESSION = z.object({
  /** Whether the API asks for credentials. */
  required: z.boolean(),
  signed_in: z.boolean(),
  /** What can be logged in with. */
  methods: z.array(z.enum(["password", "token"])),
  /** Whether this request, made for it, might change something. */
  may_change: z.boolean(),
});

export type SessionJson = z.output<typeof SESSION>;

export interface SessionOptions {
  readonly view: ServerView;
  /** Absent: nobody has to log in. */
  readonly auth: ApiCredentials | undefined;
  readonly check: CheckCredentials | undefined;
  readonly sessions: Sessions;
  readonly guard: ChangeGuard;
  /** Milliseconds. */
  readonly now: () => number;
}

/** `/api/v1/session`: `POST` logs a browser in, `DELETE` out. The cookie is for this server's own pages. */
export function addSessionRoutes(app: Hono, options: SessionOptions): void {
  const { view, auth, sessions } = options;
  resource(app, "/api/v1/session", {
    GET: (c) => {
      const isSignedIn = isOpen(c, options);
      const mayChange = auth === undefined ? options.guard(c) === undefined : isSignedIn;
      const data: SessionJson = {
        required: auth !== undefined,
        signed_in: isSignedIn,
        methods: [
          ...(auth?.basic === undefined ? [] : ["password"] as const),
          ...(auth?.token === undefined ? [] : ["token"] as const),
        ],
        may_change: mayChange,
      };
      return c.json(envelope(view, { data }));
    },
    POST: (c) => logIn(c, options),
    DELETE: (c) => {
      const refused = refuseForeignPage(c);
      if (refused !== undefined) return refused;
      const id = sessionOf(c, view.serverId);
      if (id !== undefined) sessions.close(id);
      deleteCookie(c, sessionCookie(view.serverId), { path: "/" });
      return c.json(envelope(view));
    },
  });
}

function isOpen(c: Context, { view, auth, sessions, now }: SessionOptions): boolean {
  const id = sessionOf(c, view.serverId);
  return id !== undefined && auth !== undefined && sessions.use(id, markOf(auth), now());
}

async function logIn(c: Context, { view, auth, check, sessions, now }: SessionOptions): Promise<Response> {
  const refused = refuseForeignPage(c);
  if (refused !== undefined) return refused;
  if (auth === undefined || check === undefined) {
    return refusal(c, 400, "Cannot log in: http_api.auth is not set, so that nobody has to");
  }
  const given = LOGIN.safeParse(await json(c)).data;
  if (given === undefined) {
    return refusal(c, 400, 'Cannot log in: send {"username":"…","password":"…"} or {"token":"…"} as JSON');
  }
  const failed = check(c, "token" in given ? { token: given.token } : { basic: given });
  if (failed !== undefined) return failed;
  setCookie(c, sessionCookie(view.serverId), sessions.open(markOf(auth), now()), {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    secure: c.req.url.startsWith("https:"),
    maxAge: SESSION_MS / 1000,
  });
  return c.json(envelope(view));
}

async function json(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
}
