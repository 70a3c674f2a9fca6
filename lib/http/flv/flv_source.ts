/**
 * What HTTP-FLV and WebSocket-FLV need of the server.
 *
 * @module
 */
import type { MediaAnswer, MediaRequest } from "../../net/media_request.ts";

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
  play(request: MediaRequest): Promise<MediaAnswer>;
}
