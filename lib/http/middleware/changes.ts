import type { Context } from "hono";
import { isLoopback } from "../../base/ip_address.ts";
import type { AppBindings } from "../app_handler.ts";
import type { HttpPeer } from "../server/http_handler.ts";
import { refusal } from "./answer.ts";

/** With one of these a proxy tells for whom it asks: its own address says nothing of who that is. */
export const PROXY_HEADERS: readonly string[] = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"];

/** Says why a request may change nothing; undefined: it may. */
export type ChangeGuard = (context: Context) => Response | undefined;

/**
 * Who may change something: who has given credentials, or, where none are asked for, who asks from this machine. Never a page of another
 * site that has the browser ask, nor a request whose answer goes to a callback, as only such a page needs.
 *
 * @param hasCredentials Whether the API asks for credentials; then they have been checked already.
 */
export function guardChanges(hasCredentials: boolean): ChangeGuard {
  return (context) => refuseForeignPage(context) ?? (hasCredentials ? undefined : refuseRemote(context));
}

/** Who asks, where a server says so. */
export function peerOf(context: Context): HttpPeer | undefined {
  return (context.env as Partial<AppBindings> | undefined)?.peer;
}

/** 403 for what another site's page has had a browser send; undefined: it is none. */
export function refuseForeignPage(context: Context): Response | undefined {
  if (context.req.query("callback") !== undefined) {
    return refusal(context, 403, "JSONP cannot change anything: send the request without callback");
  }
  if (!isForeign(context)) return undefined;
  return refusal(
    context,
    403,
    "Another site's page cannot change anything: use this server's console",
  );
}

/** Whether another site's page has had a browser send a request; one at another port of this host is another site. */
export function isForeign(context: Context): boolean {
  const site = context.req.header("Sec-Fetch-Site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  // Browsers leave Sec-Fetch-Site out over plain HTTP, except to the machine that they run on; images and links have no Origin.
  const from = context.req.header("Origin") ?? context.req.header("Referer");
  return from !== undefined && hostOf(from) !== new URL(context.req.url).host;
}

/** Undefined for `null`, as pages without an address call themselves, and other things that are no URL. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** Whether a request comes from this machine itself, and not through a proxy on it. */
export function isFromHere(context: Context): boolean {
  const peer = peerOf(context);
  const isProxied = PROXY_HEADERS.some((name) => context.req.header(name) !== undefined);
  return peer !== undefined && isLoopback(peer.hostname) && !isProxied;
}

function refuseRemote(context: Context): Response | undefined {
  if (isFromHere(context)) return undefined;
  return refusal(
    context,
    403,
    "Changes are accepted only from this machine while no password is set: set http_api.auth, or send the request from this machine itself",
  );
}
