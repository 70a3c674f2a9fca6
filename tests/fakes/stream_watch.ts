import { readVideoTag } from "../../lib/wire/media_tag.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { Changes } from "./changes.ts";

const DEADLINE_MS = 30_000;

/** What one player has seen of a stream. */
export class StreamWatch {
  messages = 0;
  keyframes = 0;
  lastTimestamp = -1;
  /** When the last message came, by `performance.now`. */
  lastMs = 0;
  /** Longest time between two messages, in milliseconds. */
  longestPauseMs = 0;
  /** Timestamps that are less than one before them of the same track: audio and video need not come in one order. */
  readonly wentBack: string[] = [];
  readonly #lastOf = new Map<number, number>();
  /** The server has ended the play. */
  isEnded = false;
  readonly changes: Changes = new Changes();

  /** Notes an audio or video message. */
  note(typeId: number, timestamp: number, payload: Uint8Array): void {
    if (typeId === MESSAGE_TYPE.data) return;
    const nowMs = performance.now();
    const last = this.#lastOf.get(typeId) ?? -1;
    if (timestamp < last) this.wentBack.push(`${timestamp} after ${last} in track ${typeId}`);
    this.#lastOf.set(typeId, timestamp);
    if (this.messages > 0) this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
    this.lastTimestamp = timestamp;
    this.messages++;
    if (typeId === MESSAGE_TYPE.video && readVideoTag(payload).isKeyframe) this.keyframes++;
    this.changes.notify();
  }

  end(): void {
    this.isEnded = true;
    this.changes.notify();
  }

  /** Waits until so many more messages have come. */
  async more(count: number = 1): Promise<void> {
    const target = this.messages + count;
    await this.changes.until(
      () => {
        if (this.isEnded && this.messages < target) {
          throw new Error("Cannot play on: the server has ended it");
        }
        return this.messages >= target;
      },
      () => `${target} messages, ${this.messages} came`,
      DEADLINE_MS,
    );
  }
}
