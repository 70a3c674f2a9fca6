/** Reads at a connection's beginning that are answered at once, see `takePrompt`. */
export const PROMPT_ACKNOWLEDGEMENTS = 8;

/**
 * When to acknowledge what a peer sent. Counts every byte of the connection, handshake included, as SRS does; some hardware
 * encoders stop sending when nobody does: some at the window that they named, some at the one that we did. So the smaller counts.
 */
export class Acknowledgement {
  readonly #ownWindow: number;
  #window: number;
  #received = 0;
  #acknowledged = 0;
  #promptLeft: number;
  #isUnanswered = false;

  /**
   * @param peerWindow Bytes, until the peer names a window; 0: none.
   * @param ownWindow Bytes of the window that we name; 0: none.
   * @param prompt How many reads may be answered at once.
   */
  constructor(peerWindow: number, ownWindow: number, prompt: number) {
    this.#ownWindow = ownWindow;
    this.#window = smaller(peerWindow, ownWindow);
    this.#promptLeft = prompt;
  }

  /** The peer's Window Acknowledgement Size; 0 is ignored. */
  setWindow(bytes: number): void {
    if (bytes > 0) this.#window = smaller(bytes, this.#ownWindow);
  }

  /** Counts bytes; the sequence number to send when half a window has come since the last one. */
  receive(count: number): number | undefined {
    this.#received += count;
    this.#isUnanswered = count > 0;
    if (this.#window === 0 || this.#received - this.#acknowledged < this.#window / 2) return undefined;
    this.#acknowledged = this.#received;
    return this.#received >>> 0;
  }

  /**
   * The sequence number to send when there is nothing else to say to what has just come. A peer that writes in small pieces without
   * TCP_NODELAY (FFmpeg, SRS) holds its next piece back until its system hears of the last; ours delays that word by 40 ms, unless
   * there is something to send. Twice or three times that is most of the time that such a client takes to play.
   */
  takePrompt(): number | undefined {
    if (!this.#isUnanswered || this.#promptLeft === 0) return undefined;
    this.#isUnanswered = false;
    this.#promptLeft--;
    this.#acknowledged = this.#received;
    return this.#received >>> 0;
  }

  /**
   * No more prompt ones. An encoder that sends a whole file and closes with one unread resets the connection, and its system throws
   * away what it has not sent yet.
   */
  endPrompt(): void {
    this.#promptLeft = 0;
  }

  /** Something is said to the peer, or nothing can be yet: its system will hear of what has come with that. */
  noteAnswer(): void {
    this.#isUnanswered = false;
  }
}

/** The smaller of two windows, of which one that is 0 is none. */
function smaller(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}
