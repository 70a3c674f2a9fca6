import { type NodeVouch, readVouch } from "../base/node_vouch.ts";
import { CAPS_EX, type ConnectInfo } from "../wire/commands.ts";

/** Whether a client is another Headwater node, which looks for streams by itself. */
export function isNode(connect: ConnectInfo | undefined): boolean {
  return connect?.argumentsObject?.getString("headwater_node") !== undefined;
}

/** The checks that a client, which is a node that knows the cluster's secret, has made of those that it asks for. */
export function vouchedBy(
  connect: ConnectInfo | undefined,
  secret: string,
  action: NodeVouch["action"],
): readonly string[] {
  const vouch = connect?.argumentsObject?.getString("headwater_vouch");
  return connect === undefined || vouch === undefined
    ? []
    : readVouch(secret, connect.challenge, action, vouch);
}

/**
 * Whether a client follows SRS's RTMP 302 while it plays. Only SRS edges and Headwater nodes are known to; they say who they are in the
 * second object of `connect`. ffmpeg, OBS, VLC, GStreamer and their like would only see an error.
 */
export function followsRedirects(connect: ConnectInfo | undefined): boolean {
  const names = connect?.argumentsObject?.entries.keys() ?? [];
  for (const name of names) if (name.startsWith("srs_") || name === "headwater_node") return true;
  return false;
}

/** Whether a client follows Enhanced RTMP's ReconnectRequest, by its own word. */
export function followsReconnectRequests(connect: ConnectInfo | undefined): boolean {
  return connect !== undefined && (connect.capsEx & CAPS_EX.reconnect) !== 0;
}
