import { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { isNode } from "./peer_node.ts";
import type { VhostSettings } from "./vhost_settings.ts";

/** What a client wants to play or publish, its vhost looked up. */
export interface StreamRequest {
  readonly address: StreamAddress;
  readonly vhost: VhostSettings;
  /** `[vhost]/app/stream`, see `requestKey`. */
  readonly key: string;
  /** What an RTMP client said in connect; undefined for HTTP. */
  readonly connect: ConnectInfo | undefined;
  /** The client's address. */
  readonly ip: string;
  /** Aborts when the client leaves while it is waiting for the answer. */
  readonly signal: AbortSignal;
}

/** How a play request is served. */
export type PlayDecision =
  /** From this process: it is fed here, or will be. `release` is called when the player leaves. */
  | {
    readonly kind: "local";
    readonly release?: () => void;
    /** How long the player may wait while nobody feeds the stream, in milliseconds; absent or 0: for ever. */
    readonly waitMs?: number;
  }
  /** SRS's RTMP 302 (HTTP 302 for HTTP-FLV). */
  | { readonly kind: "redirect"; readonly tcUrl: string; readonly url: string }
  /** Enhanced RTMP's ReconnectRequest. */
  | { readonly kind: "reconnect"; readonly tcUrl: string };

/** Another node that a client is sent to. */
export type Elsewhere = Exclude<PlayDecision, { kind: "local" }>;

/** What came of a publish; `release` is called when the publisher has left. */
export interface PublishLease {
  release(): void;
}

/**
 * Decides where streams are: on a lone origin here, in a cluster perhaps at a coworker, on an edge at an origin. Refusals are thrown
 * as RtmpError.
 */
export interface StreamRouter {
  /** Before a client's connect is accepted. */
  admitConnect(connect: ConnectInfo, address: StreamAddress, vhost: VhostSettings): Promise<void>;
  /** Before Play.Start is said. */
  admitPlay(request: StreamRequest): Promise<PlayDecision>;
  /** Before Publish.Start is said. `stop` ends the publisher later. */
  admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease>;
  /**
   * Where a client may go on when this server stops; undefined when it would not follow, should not, or there is no other place. A
   * publisher who is told has the router's word that it is let in there.
   */
  elsewhere?(request: StreamRequest, kind: "publish" | "play"): Elsewhere | undefined;
}

/**
 * A lone origin: everything is here, and a player may wait for a stream that is not yet published. Not so another node: its players
 * wait there, while it looks at other origins too.
 *
 * @param isFed Whether somebody feeds a stream here.
 * @param admitPublish Notes what is published, for the nodes that have this one as a coworker.
 */
export function loneOrigin(
  isFed: (key: string) => boolean,
  admitPublish: StreamRouter["admitPublish"] = () => Promise.resolve({ release: () => {} }),
): StreamRouter {
  return {
    admitConnect: () => Promise.resolve(),
    admitPlay(request) {
      if (isNode(request.connect) && !isFed(request.key)) {
        throw new RtmpError("stream-not-found", `Cannot play '${request.key}': it is not published here`);
      }
      return Promise.resolve({ kind: "local" });
    },
    admitPublish,
  };
}
