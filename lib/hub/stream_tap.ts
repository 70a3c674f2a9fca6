import type { MediaTagInfo } from "../wire/media_tag.ts";
import type { FeedInfo } from "./stream_feed.ts";
import type { StreamMessage } from "./output_format.ts";

/** A message as it is appended to a stream. */
export interface TappedMessage extends StreamMessage {
  /** Milliseconds, 32 bits, as the feed brought it: of a pull the same on every node, where `timestamp` goes on from this node's past. */
  readonly feedTimestamp: number;
  /** Valid only during the call: copy what you keep. */
  readonly payload: Uint8Array;
  /** Of audio and video. */
  readonly info: MediaTagInfo | undefined;
}

/**
 * What segmenters and recorders read a stream by: messages instead of bytes, each once, in their order, from now on. A stream that only
 * taps read is read as seldom as one that nobody plays.
 */
export interface StreamTap {
  /** Called for each message, within the feed's turn. Must not throw, and does little: everybody else's bytes wait for it. */
  message(message: TappedMessage): void;
  /** The stream's feed came or went. */
  feed(feed: FeedInfo | undefined): void;
}
