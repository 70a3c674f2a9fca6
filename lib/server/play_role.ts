import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { LOG_MESSAGE_STREAM_ID } from "../hub/output_format.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import { PlayFilter } from "./play_filter.ts";

export interface PlayRoleOptions {
  readonly messageStreamId: number;
  /** Milliseconds of media after which the play ends. */
  readonly durationMs: number | undefined;
  /** How long the player may wait while nobody feeds the stream, in milliseconds; 0: for ever. */
  readonly waitMs: number;
  /** Ends what the router began for this player. */
  readonly release: (() => void) | undefined;
  /** There may be bytes to send. */
  readonly onReady: () => void;
  /** The duration is over. */
  readonly onFinished: () => void;
  /** The feed has come or gone; absent: this player need not know. */
  readonly onFeed: (() => void) | undefined;
}

/** One message stream of a connection that plays. */
export class PlayRole {
  readonly kind = "play";
  readonly stream: LiveStream;
  readonly cursor: PlayerCursor;
  readonly #options: PlayRoleOptions;
  readonly #filter: PlayFilter;
  #lastFedMs: number;

  constructor(stream: LiveStream, options: PlayRoleOptions, nowMs: number) {
    const { messageStreamId, durationMs, onReady, onFinished, onFeed } = options;
    this.stream = stream;
    this.#options = options;
    this.#lastFedMs = nowMs;
    this.cursor = stream.subscribe("rtmp", { fromGop: true, onReady });
    this.#filter = new PlayFilter({
      messageStreamId: messageStreamId === LOG_MESSAGE_STREAM_ID ? undefined : messageStreamId,
      durationMs,
      onFinished,
      onPlain: () => this.cursor.setFilter(this.#filter.needed()),
    });
    this.cursor.setFilter(this.#filter.needed());
    if (onFeed !== undefined) stream.feedListeners.add(onFeed);
  }

  /** `receiveAudio` and `receiveVideo`. */
  setReceive(media: "audio" | "video", isOn: boolean): void {
    if (this.#filter.setReceive(media, isOn)) this.cursor.renewHeaders();
    this.cursor.setFilter(this.#filter.needed());
  }

  /** @throws {RtmpError} `stream-not-found` when nobody has fed the stream for longer than the player may wait. */
  checkTime(nowMs: number): void {
    const { waitMs } = this.#options;
    if (this.stream.feed !== undefined) this.#lastFedMs = nowMs;
    if (waitMs === 0 || nowMs - this.#lastFedMs <= waitMs) return;
    throw new RtmpError(
      "stream-not-found",
      `Cannot play '${this.stream.key}': not published within ${waitMs} ms`,
    );
  }

  close(): void {
    const { onFeed, release } = this.#options;
    if (onFeed !== undefined) this.stream.feedListeners.delete(onFeed);
    this.stream.unsubscribe(this.cursor);
    release?.();
  }
}
