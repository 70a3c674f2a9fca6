import { RtmpError } from "../base/errors.ts";
import type { StreamHub } from "../hub/stream_hub.ts";
import { isNode } from "../server/peer_node.ts";
import { playHere, type StreamRouter } from "../server/stream_router.ts";

/**
 * A lone origin: everything is here, and a player may wait for a stream that is not yet published. Not so another node: its players
 * wait there, while it looks at other origins too.
 *
 * @param admitPublish Notes what is published, for the nodes that have this one as a coworker.
 */
export function loneOrigin(
  hub: StreamHub,
  admitPublish: StreamRouter["admitPublish"] = () => Promise.resolve({ release: () => {} }),
): StreamRouter {
  return {
    admitConnect: () => Promise.resolve(),
    admitPlay(request) {
      if (isNode(request.connect) && hub.get(request.key)?.feed === undefined) {
        throw new RtmpError("stream-not-found", `Cannot play '${request.key}': it is not published here`);
      }
      return Promise.resolve(playHere(hub, request));
    },
    admitPublish,
  };
}
