import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { auth as readBasic } from "hono/utils/basic-auth";
import { getLogger } from "@logtape/logtape";
import { refusal } from "./answer.ts";
import type { LoginAttempts } from "./login_attempts.ts";
import { peerOf } from "./changes.ts";

const log = getLogger(["headwater", "http", "api"]);

/** What nodes of a cluster ask of each other, without credentials, as SRS does; with credentials, people may ask too. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
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

/**
 * Asks for credentials, compared in constant time, except on the cluster's paths. An address that fails again and again has to wait.
 *
 * @param now Milliseconds, for that waiting.
 * @throws {RangeError} When there are none, or one is empty: nobody could be kept out.
 */
export function credentials(
  { basic, token }: ApiCredentials,
  attempts: LoginAttempts,
  now: () => number,
): MiddlewareHandler {
  if (basic === undefined && token === undefined) {
    throw new RangeError("Cannot protect the HTTP API: neither a password nor a token is given");
  }
  if (basic?.username === "" || basic?.password === "" || token === "") {
    throw new RangeError("Cannot protect the HTTP API: username, password or token is empty");
  }
  const isUser = basic && equals(`${basic.username}:${basic.password}`);
  const isToken = token === undefined ? undefined : equals(token);
  const isRight = (request: Request, header: string): boolean => {
    const bearer = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    if (bearer !== undefined) return isToken?.(bearer) ?? false;
    const user = readBasic(request);
    return user !== undefined && (isUser?.(`${user.username}:${user.password}`) ?? false);
  };
  const challenges = [
    ...(basic === undefined ? [] : [`Basic ${REALM}`]),
    ...(token === undefined ? [] : [`Bearer ${REALM}`]),
  ].join(", ");
  const asked = [
    ...(basic === undefined ? [] : ["user name or password"]),
    ...(token === undefined ? [] : ["token"]),
  ]
    .join(", or ");
  return async function credentialsMiddleware(c, next) {
    const header = c.req.header("Authorization");
    if (header === undefined && isOpen(c.req.path)) return await next();
    const headers = { "WWW-Authenticate": challenges };
    const unauthorized = () => refusal(c, 401, `Unauthorized: ${asked} is wrong or missing`, headers);
    // A browser asks without credentials before it asks its user.
    if (header === undefined) return unauthorized();
    const address = peerOf(c)?.hostname ?? "";
    const waitMs = attempts.waitMs(address, now());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      return refusal(c, 429, `Too many failed logins from this address: try again in ${seconds} s`, {
        "Retry-After": String(seconds),
      });
    }
    if (isRight(c.req.raw, header)) {
      attempts.succeed(address);
      trusted.add(c.req.raw);
      return await next();
    }
    attempts.fail(address, now());
    log.warn("HTTP API login failed", { ip: address, path: c.req.path });
    return unauthorized();
  };
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
