import type { MessageFilter } from "../hub/message_filter.ts";
import type { FoundMessage } from "../hub/output_format.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";

/** What sets one player apart from all others: its own message stream, a duration, audio or video switched off. */
export class PlayFilter implements MessageFilter {
  readonly #messageStreamId: number | undefined;
  readonly #durationMs: number | undefined;
  readonly #onFinished: () => void;
  #wantsAudio = true;
  #wantsVideo = true;
  #firstTimestamp: number | undefined;
  #isFinished = false;

  constructor(options: {
    /** The player's message stream id, where it is not the one in the log. */
    readonly messageStreamId: number | undefined;
    /** Milliseconds of media after which the play ends. */
    readonly durationMs: number | undefined;
    readonly onFinished: () => void;
  }) {
    this.#messageStreamId = options.messageStreamId;
    this.#durationMs = options.durationMs;
    this.#onFinished = options.onFinished;
  }

  get messageStreamId(): number {
    return this.#messageStreamId ?? 1;
  }

  /** This filter, or undefined while it would change nothing. */
  needed(): MessageFilter | undefined {
    const isPlain = this.#messageStreamId === undefined && this.#durationMs === undefined &&
      this.#wantsAudio && this.#wantsVideo;
    return isPlain ? undefined : this;
  }

  /** `receiveAudio` and `receiveVideo`. */
  setReceive(media: "audio" | "video", isOn: boolean): void {
    if (media === "audio") this.#wantsAudio = isOn;
    else this.#wantsVideo = isOn;
  }

  accept(message: FoundMessage): boolean {
    if (this.#isFinished) return false;
    if (message.typeId === MESSAGE_TYPE.audio && !this.#wantsAudio) return false;
    if (message.typeId === MESSAGE_TYPE.video && !this.#wantsVideo) return false;
    if (this.#durationMs === undefined || message.typeId === MESSAGE_TYPE.data) return true;
    this.#firstTimestamp ??= message.timestamp;
    if (((message.timestamp - this.#firstTimestamp) & 0x7fffffff) < this.#durationMs) return true;
    this.#isFinished = true;
    this.#onFinished();
    return false;
  }
}
