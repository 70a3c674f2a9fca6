/**
 * What a router says of the clients that share a pull.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import type { ServerRuntime } from "../server/server_runtime.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import { isNode } from "../server/peer_node.ts";
import { routeOf, withoutVhost } from "./upstream_identity.ts";

/** The refusal of a play that has been here already. */
export function playLoop(key: string): RtmpError {
  return new RtmpError("relay-loop", `Cannot play '${key}': the request has passed this node already`);
}

/** A mark for a pull, which nobody can guess. */
export function newMark(runtime: Pick<ServerRuntime, "newId">): string {
  return runtime.newId() + runtime.newId();
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
