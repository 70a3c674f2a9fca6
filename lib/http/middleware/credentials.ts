import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { auth as readBasic } from "hono/utils/basic-auth";
import { getLogger } from "@logtape/logtape";
import { refusal } from "./answer.ts";
import type { LoginAttempts } from "./login_attempts.ts";
import { peerOf } from "./changes.ts";

const log = getLogger(["headwater", "http", "api"]);

/**
 * What is answered without credentials: by which a browser logs in, and what nodes of a cluster ask of each other, as SRS does. With
 * credentials, people may ask these too.
 */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  "/api/v1/session",
  "/api/v1/clusters",
  "/api/v1/clusters/node",
  "/api/v1/clusters/nodes",
]);
/** What one node has, which others ask for in the same way. */
const OPEN_FOLDER = "/api/v1/clusters/node/";

/** Requests that came with the right credentials. */
const trusted = new WeakSet<Request>();

/** Whether a request came with credentials of the API, which have been checked. */
export function hasCredentials(context: Context): boolean {
  return trusted.has(context.req.raw);
}

const REALM = 'realm="Headwater"';

/** What opens the API: a name and a password, a bearer token, or either of them. */
export interface ApiCredentials {
  /** HTTP Basic. */
  readonly basic?: { readonly username: string; readonly password: string };
  /** `Authorization: Bearer …`. */
  readonly token?: string;
}

/** Why credentials that somebody gives are refused; undefined: they are right. An address that fails again and again has to wait. */
export type CheckCredentials = (context: Context, given: ApiCredentials) => Response | undefined;

/**
 * Checks credentials, in constant time.
 *
 * @param now Milliseconds, for the waiting of those who fail.
 * @throws {RangeError} When there are none, or one is empty: nobody could be kept out.
 */
export function credentialsCheck(
  { basic, token }: ApiCredentials,
  attempts: LoginAttempts,
  now: () => number,
): CheckCredentials {
  if (basic === undefined && token === undefined) {
    throw new RangeError("Cannot protect the HTTP API: neither a password nor a token is given");
  }
  if (basic?.username === "" || basic?.password === "" || token === "") {
    throw new RangeError("Cannot protect the HTTP API: username, password or token is empty");
  }
  const isUser = basic && equals(`${basic.username}:${basic.password}`);
  const isToken = token === undefined ? undefined : equals(token);
  const challenges = [
    ...(basic === undefined ? [] : [`Basic ${REALM}`]),
    ...(token === undefined ? [] : [`Bearer ${REALM}`]),
  ].join(", ");
  const asked = [
    ...(basic === undefined ? [] : ["user name or password"]),
    ...(token === undefined ? [] : ["token"]),
  ]
    .join(", or ");
  return (c, given) => {
    // A browser shows a dialogue of its own for a challenge that it knows, which a page that logs in by itself does not want.
    const isOwnPage = c.req.header("X-Requested-With") !== undefined || c.req.path === "/api/v1/events" ||
      c.req.path === "/api/v1/session";
    const headers = { "WWW-Authenticate": isOwnPage ? `Session ${REALM}` : challenges };
    const unauthorized = () => refusal(c, 401, `Unauthorized: ${asked} is wrong or missing`, headers);
    // A browser asks without credentials before it asks its user.
    if (given.basic === undefined && given.token === undefined) return unauthorized();
    const address = peerOf(c)?.hostname ?? "";
    const waitMs = attempts.waitMs(address, now());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      return refusal(c, 429, `Too many failed logins from this address: try again in ${seconds} s`, {
        "Retry-After": String(seconds),
      });
    }
    const isRight = given.token !== undefined
      ? isToken?.(given.token) ?? false
      : isUser?.(`${given.basic?.username}:${given.basic?.password}`) ?? false;
    if (isRight) {
      attempts.succeed(address);
      return undefined;
    }
    attempts.fail(address, now());
    log.warn("HTTP API login failed", { ip: address, path: c.req.path });
    return unauthorized();
  };
}

/**
 * Asks for credentials, except on the paths that are open.
 *
 * @param hasSession Whether a request belongs to a browser that has logged in.
 */
export function credentials(
  check: CheckCredentials,
  hasSession: (context: Context) => boolean = () => false,
): MiddlewareHandler {
  return async function credentialsMiddleware(c, next) {
    const header = c.req.header("Authorization");
    if (header === undefined && hasSession(c)) {
      trusted.add(c.req.raw);
      return await next();
    }
    if (header === undefined && isOpen(c.req.path)) return await next();
    const refused = check(c, header === undefined ? {} : read(c.req.raw, header));
    if (refused !== undefined) return refused;
    trusted.add(c.req.raw);
    return await next();
  };
}

/** What a header says; what it can't say anything with counts as wrong. */
function read(request: Request, header: string): ApiCredentials {
  const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (token !== undefined) return { token };
  return { basic: readBasic(request) ?? { username: "", password: "" } };
}

function isOpen(path: string): boolean {
  return OPEN_PATHS.has(path.replace(/\/$/, "")) || path.startsWith(OPEN_FOLDER);
}

/** Compares with a secret in a time that tells nothing of it, not even its length. */
function equals(secret: string): (given: string) => boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}
