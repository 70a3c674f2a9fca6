import type { StreamAddress } from "../base/stream_address.ts";
import type { MediaPlay } from "./media_sink.ts";

/** Who wants to play over HTTP or WebSocket. */
export interface MediaClient {
  readonly ip: string;
  /** The page that asked, or empty. */
  readonly pageUrl: string;
  readonly transport: "http" | "websocket";
  /**
   * Whether it plays in a page, by way of a browser's decoders: these are made for the kinds of media that the header announces. Other
   * players take what comes.
   */
  readonly isPage: boolean;
}

/** Who wants to play what. */
export interface MediaRequest extends MediaClient {
  /** What the client may mean, the likeliest first; at least one. */
  readonly addresses: readonly StreamAddress[];
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  /** What stands after `Bearer` in its `Authorization`. */
  readonly authorization?: string | undefined;
}

/** How it is answered. */
export type MediaAnswer =
  | { readonly kind: "play"; readonly player: MediaPlay }
  /** `url` is the stream's RTMP address at another node. */
  | { readonly kind: "redirect"; readonly url: string };
