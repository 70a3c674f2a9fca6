import type { ConnectInfo } from "../wire/commands.ts";

/** Whether a client is another Headwater node, which looks for streams by itself. */
export function isNode(connect: ConnectInfo | undefined): boolean {
  return connect?.argumentsObject?.getString("headwater_node") !== undefined;
}
