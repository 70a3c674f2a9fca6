/**
 * What a router says of the clients that share a pull.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { newId } from "../base/random_id.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import { isNode } from "../server/peer_node.ts";
import { routeOf, withoutVhost } from "./upstream_identity.ts";

/** The refusal of a play that has been here already. */
export function playLoop(key: string): RtmpError {
  return new RtmpError(
    "relay-loop",
    `Cannot play '${key}': the request has already passed through this node`,
  );
}

/** A mark for a pull, which nobody can guess. */
export function newMark(randomBytes: RandomBytes): string {
  return newId(randomBytes) + newId(randomBytes);
}

/** What a play request says of its client, for a pull that is shared. */
export function askerOf({ address, connect }: Pick<StreamRequest, "address" | "connect">): PullAsker {
  return {
    parameters: withoutVhost(address.parameters),
    pageUrl: connect?.pageUrl ?? "",
    swfUrl: connect?.swfUrl ?? "",
    route: isNode(connect) ? routeOf(connect) : [],
  };
}
