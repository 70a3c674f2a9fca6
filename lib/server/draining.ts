import { RtmpError } from "../base/errors.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import { followsReconnectRequests, followsRedirects } from "./peer_node.ts";

/**
 * The refusal of a server that is about to stop.
 *
 * @param what Such as `publish '/live/a'`.
 */
export function drainingError(what: string): RtmpError {
  return new RtmpError(
    "shutting-down",
    `Cannot ${what}: the server is draining before it stops; use another node`,
  );
}

/** Whether there may be words for a client, later than at its connect, that take it to another node. */
export function maySendElsewhere(connect: ConnectInfo): boolean {
  return followsRedirects(connect) || followsReconnectRequests(connect);
}
