import type { MediaSource } from "./connection_writer.ts";

/** A connection that a player's media goes to, written by a `ConnectionWriter`. */
export interface MediaSink {
  /** Sends bytes of the player's own, such as a file's header. */
  send(bytes: Uint8Array): void;
  /** Sends, from now on, what the source has; at most one source. */
  addSource(source: MediaSource): void;
  /** Sends at once, as a new connection does, or gathers as Nagle's algorithm says. */
  setNoDelay(isOn: boolean): void;
  /** There may be something to send. */
  flush(): void;
  /** Bytes that the socket has taken. */
  readonly sentBytes: number;
  /** Since when the write under way has not been done, in monotonic milliseconds, as far as it was looked at; undefined while none is. */
  readonly writingSinceMs: number | undefined;
  /**
   * There is no more: ends the connection as soon as the peer has what is on its way, at the latest after a second.
   *
   * @param why `going-away`: this server stops, where the protocol has a word for it.
   */
  end(why?: "going-away"): void;
  /** Ends the connection at once. */
  cut(): void;
}

/** What is written to a sink for as long as the peer stays. */
export interface MediaPlay {
  /** Opens the way out. */
  open(sink: MediaSink): void;
  /** There is more to send, not urgent: the next round should flush. */
  markBehind(): void;
  /** The peer has left. */
  close(): void;
}
