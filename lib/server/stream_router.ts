import type { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { HeldStream, StreamHub } from "../hub/stream_hub.ts";
import type { AccessClient } from "../access/access_request.ts";
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
  readonly client: AccessClient;
  /** Aborts when the client leaves while it is waiting for the answer. */
  readonly signal: AbortSignal;
}

/** From this process: the stream is fed here, or will be. It is held for the player until it leaves, which `release` says. */
export interface LocalPlay extends HeldStream {
  readonly kind: "local";
  /** How long the player may wait while nobody feeds the stream, in milliseconds; absent or 0: for ever. */
  readonly waitMs?: number;
}

/** How a play request is served. */
export type PlayDecision =
  | LocalPlay
  /** SRS's RTMP 302 (HTTP 302 for HTTP-FLV). */
  | { readonly kind: "redirect"; readonly tcUrl: string; readonly url: string }
  /** Enhanced RTMP's ReconnectRequest. */
  | { readonly kind: "reconnect"; readonly tcUrl: string };

/** Another node that a client is sent to. */
export type Elsewhere = Exclude<PlayDecision, LocalPlay>;

/** What came of a publish; `release` is called when the publisher has left. */
export interface PublishLease {
  /** @param isOver Whether the publisher has said that the stream is over; else it may come back. */
  release(isOver?: boolean): void;
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

/** A play of what is fed here, or will be. */
export function playHere(hub: StreamHub, { key, vhost }: StreamRequest): LocalPlay {
  return { kind: "local", ...hub.hold(key, () => vhost.stream) };
}
