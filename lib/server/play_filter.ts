import type { MessageFilter } from "../hub/message_filter.ts";
import type { FoundMessage } from "../hub/output_format.ts";
import { readVideoTag } from "../wire/media_tag.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";

/** What sets one player apart from all others: its own message stream, a duration, audio or video switched off. */
export class PlayFilter implements MessageFilter {
  readonly #messageStreamId: number | undefined;
  readonly #durationMs: number | undefined;
  readonly #onFinished: () => void;
  readonly #onPlain: () => void;
  #wantsAudio = true;
  #wantsVideo = true;
  /** Video was switched on inside a group of pictures: what refers to frames that the player has not had is left out. */
  #awaitsKeyframe = false;
  #firstTimestamp: number | undefined;
  #isFinished = false;

  constructor(options: {
    /** The player's message stream id, where it is not the one in the log. */
    readonly messageStreamId: number | undefined;
    /** Milliseconds of media after which the play ends. */
    readonly durationMs: number | undefined;
    readonly onFinished: () => void;
    /** The filter may not be needed any more. */
    readonly onPlain?: () => void;
  }) {
    this.#messageStreamId = options.messageStreamId;
    this.#durationMs = options.durationMs;
    this.#onFinished = options.onFinished;
    this.#onPlain = options.onPlain ?? (() => {});
  }

  get messageStreamId(): number {
    return this.#messageStreamId ?? 1;
  }

  /** This filter, or undefined while it would change nothing. */
  needed(): MessageFilter | undefined {
    const isPlain = this.#messageStreamId === undefined && this.#durationMs === undefined &&
      this.#wantsAudio && this.#wantsVideo && !this.#awaitsKeyframe;
    return isPlain ? undefined : this;
  }

  /**
   * `receiveAudio` and `receiveVideo`. Video that is switched on begins at a key frame.
   *
   * @returns Whether it has been switched on now: the player needs the headers.
   */
  setReceive(media: "audio" | "video", isOn: boolean): boolean {
    const isChange = isOn !== (media === "audio" ? this.#wantsAudio : this.#wantsVideo);
    if (media === "audio") {
      this.#wantsAudio = isOn;
    } else if (isChange) {
      this.#wantsVideo = isOn;
      this.#awaitsKeyframe = isOn;
    }
    return isChange && isOn;
  }

  accept(message: FoundMessage, payload: () => Uint8Array): boolean {
    if (this.#isFinished) return false;
    if (message.typeId === MESSAGE_TYPE.audio && !this.#wantsAudio) return false;
    if (message.typeId === MESSAGE_TYPE.video) {
      if (!this.#wantsVideo) return false;
      if (this.#awaitsKeyframe && !this.#isBeginning(payload())) return false;
    }
    if (this.#durationMs === undefined || message.typeId === MESSAGE_TYPE.data) return true;
    this.#firstTimestamp ??= message.timestamp;
    if (((message.timestamp - this.#firstTimestamp) | 0) < this.#durationMs) return true;
    this.#isFinished = true;
    this.#onFinished();
    return false;
  }

  /** Whether a decoder can take a video message first. */
  #isBeginning(payload: Uint8Array): boolean {
    const { isKeyframe, headerKind } = readVideoTag(payload);
    if (!isKeyframe) return headerKind !== undefined;
    this.#awaitsKeyframe = false;
    this.#onPlain();
    return true;
  }
}
