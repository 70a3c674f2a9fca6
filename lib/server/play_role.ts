import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { LOG_MESSAGE_STREAM_ID } from "../hub/output_format.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import { PlayFilter } from "./play_filter.ts";
import type { LocalPlay } from "./stream_router.ts";

export interface PlayRoleOptions {
  readonly messageStreamId: number;
  /** Milliseconds of media after which the play ends. */
  readonly durationMs: number | undefined;
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
  readonly #play: LocalPlay;
  readonly #options: PlayRoleOptions;
  readonly #filter: PlayFilter;
  #lastFedMs: number;

  constructor(play: LocalPlay, options: PlayRoleOptions, nowMs: number) {
    const { messageStreamId, durationMs, onReady, onFinished, onFeed } = options;
    const { stream } = play;
    this.#play = play;
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
    const { waitMs = 0 } = this.#play;
    if (this.stream.feed !== undefined) this.#lastFedMs = nowMs;
    if (waitMs === 0 || nowMs - this.#lastFedMs <= waitMs) return;
    throw new RtmpError(
      "stream-not-found",
      `Cannot play '${this.stream.key}': not published within ${waitMs} ms`,
    );
  }

  close(): void {
    const { onFeed } = this.#options;
    if (onFeed !== undefined) this.stream.feedListeners.delete(onFeed);
    this.stream.unsubscribe(this.cursor);
    this.#play.release();
  }
}
