import { CAPS_EX, type ConnectInfo } from "../wire/commands.ts";

/** `cluster.redirect`. */
export type RedirectMode = "auto" | "302" | "relay";

/** How a player gets to a stream of a coworker. */
export type RedirectDecision =
  /** SRS's RTMP 302. */
  | "302"
  /** Enhanced RTMP's ReconnectRequest. */
  | "reconnect"
  /** Through this node. */
  | "relay";

/**
 * Decides by what a player said in `connect`. Only SRS edges and Headwater nodes are known to follow a 302; they say who they are in
 * the second object of `connect`. ffmpeg, OBS, VLC, GStreamer and their like would only see an error.
 *
 * @param connect Undefined for a player over HTTP: nobody knows an HTTP-FLV address of the owner.
 */
export function decideRedirect(mode: RedirectMode, connect: ConnectInfo | undefined): RedirectDecision {
  if (mode === "relay" || connect === undefined) return "relay";
  if (mode === "302") return "302";
  const { argumentsObject } = connect;
  if (argumentsObject !== undefined) {
    for (const name of argumentsObject.entries.keys()) {
      if (name.startsWith("srs_") || name === "headwater_node") return "302";
    }
  }
  return (connect.capsEx & CAPS_EX.reconnect) !== 0 ? "reconnect" : "relay";
}
