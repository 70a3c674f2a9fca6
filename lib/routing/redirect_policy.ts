import { followsReconnectRequests, followsRedirects } from "../server/peer_node.ts";
import type { RedirectMode } from "../server/vhost_role.ts";
import type { ConnectInfo } from "../wire/commands.ts";

/** How a player gets to a stream of a coworker. */
export type RedirectDecision =
  /** SRS's RTMP 302. */
  | "302"
  /** Enhanced RTMP's ReconnectRequest. */
  | "reconnect"
  /** Through this node. */
  | "relay";

/**
 * Decides by what a player said in `connect`.
 *
 * @param connect Undefined for a player over HTTP: nobody knows an HTTP-FLV address of the owner.
 */
export function decideRedirect(mode: RedirectMode, connect: ConnectInfo | undefined): RedirectDecision {
  if (mode === "relay" || connect === undefined) return "relay";
  if (mode === "302" || followsRedirects(connect)) return "302";
  return followsReconnectRequests(connect) ? "reconnect" : "relay";
}
