/**
 * What HTTP-FLV and WebSocket-FLV need of the server.
 *
 * @module
 */
import type { StreamAddress } from "../../base/stream_address.ts";

/** Where a player's bytes go. */
export interface FlvSink {
  /** Takes one piece for each `request`. */
  write(bytes: Uint8Array): void;
  /** There is no more; not called when the player left by itself. */
  end(): void;
}

/** A player that has been let in: whole FLV, header first, in pieces, as many as are asked for. */
export interface FlvPlay {
  open(sink: FlvSink): void;
  /** The sink takes another piece. */
  request(): void;
  /** The player has left. */
  close(): void;
}

/** Who wants to play what. */
export interface FlvRequest {
  /** What the client may mean, the likeliest first; at least one. */
  readonly addresses: readonly StreamAddress[];
  readonly ip: string;
  /** The page that asked, or empty. */
  readonly pageUrl: string;
  readonly transport: "http" | "websocket";
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
}

/** How it is answered. */
export type FlvAnswer =
  | { readonly kind: "play"; readonly player: FlvPlay }
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
