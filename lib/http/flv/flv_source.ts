/**
 * What HTTP-FLV and WebSocket-FLV need of the server.
 *
 * @module
 */
import type { StreamAddress } from "../../base/stream_address.ts";
import type { MediaPlay } from "../../net/media_sink.ts";

/** Who wants to play what. */
export interface FlvRequest {
  /** What the client may mean, the likeliest first; at least one. */
  readonly addresses: readonly StreamAddress[];
  readonly ip: string;
  /** The page that asked, or empty. */
  readonly pageUrl: string;
  readonly transport: "http" | "websocket";
  /** Whether a page of a browser asked. */
  readonly isPage: boolean;
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  /** What stands after `Bearer` in its `Authorization`. */
  readonly authorization: string | undefined;
}

/** How it is answered. */
export type FlvAnswer =
  | { readonly kind: "play"; readonly player: MediaPlay }
  /** `url` is the stream's RTMP address at another node. */
  | { readonly kind: "redirect"; readonly url: string };

/** The part of a vhost's configuration that says where its streams are. */
export interface FlvVhost {
  readonly name: string;
  readonly flv: { readonly isEnabled: boolean; readonly mount: string };
}

/** Lets players in. */
export interface FlvSource {
  /** The vhost of that name, else the default one. */
  findVhost(name: string): FlvVhost | undefined;
  /**
   * Answers when there is something to play, at the latest after the configured time.
   *
   * @throws {RtmpError} The refusal.
   */
  play(request: FlvRequest): Promise<FlvAnswer>;
}
