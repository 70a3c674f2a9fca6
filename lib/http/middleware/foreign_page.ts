import type { Context } from "hono";
import { refusal } from "./answer.ts";

/**
 * Refuses what would change something when a page of another site has the browser ask for it, or when the answer goes to a callback,
 * as only such a page needs. What sends none of a browser's headers is a program, and may.
 *
 * @returns Undefined: go on.
 */
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

function isForeign(context: Context): boolean {
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
