import { CAPS_EX, type ConnectInfo } from "../wire/commands.ts";

/** Whether a client is another Headwater node, which looks for streams by itself. */
export function isNode(connect: ConnectInfo | undefined): boolean {
  return connect?.argumentsObject?.getString("headwater_node") !== undefined;
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
