import type { RtmpError } from "../base/errors.ts";
import type { StreamMessage } from "./output_format.ts";

/** Who feeds a stream. */
export interface FeedInfo {
  /** `publish`: an encoder; `pull`: an upstream, whose stream is not ours to claim. */
  readonly kind: "publish" | "pull";
  /** The id of the connection, as in logs and the API. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Asks the feed to end: another takes over, or an operator says so. */
  readonly stop?: (reason: RtmpError) => void;
  /** Something that it sent is kept from players, and why; called once for each kind of thing. */
  readonly onLeftOut?: (what: LeftOut, error: RtmpError) => void;
}

/** What of a feed may be left out. */
export type LeftOut = "metadata" | "codec header" | "aggregate";

/** A feed's hold on its stream. */
export interface StreamFeed {
  /**
   * Adds one message. The payload is copied before this returns.
   *
   * @param nowMs Monotonic milliseconds.
   */
  write(message: StreamMessage, nowMs: number): void;
  /** Says that something the feed sent could not even be read. */
  leaveOut(what: LeftOut, error: RtmpError): void;
  /** Leaves the stream to its players and the next feed. */
  close(): void;
}
