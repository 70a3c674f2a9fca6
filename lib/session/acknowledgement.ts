/** Reads at a connection's beginning that are answered at once, see `takePrompt`. */
export const PROMPT_ACKNOWLEDGEMENTS = 8;

/**
 * When to acknowledge what a peer sent. Counts every byte of the connection, handshake included, as SRS does; some hardware
 * encoders stop sending when nobody does, at the window that they named or at the one that we did: one is due at half of the smaller.
 *
 * It is sent when the peer has nothing more under way. What reaches an encoder that has closed, or is unread when it does, resets its
 * connection, and its system throws away what it has not sent yet: of a file that is published as fast as it can be, the end. One that
 * waits for an acknowledgement has nothing under way, and gets it at once.
 */
export class Acknowledgement {
  readonly #ownWindow: number;
  /** Bytes after which one is due; 0: none is. */
  #due: number;
  #received = 0;
  #acknowledged = 0;
  #receivedAtLook = 0;
  #promptLeft: number;
  #isUnanswered = false;

  /**
   * @param peerWindow Bytes, until the peer names a window; 0: none.
   * @param ownWindow Bytes of the window that we name; 0: none.
   * @param prompt How many reads may be answered at once.
   */
  constructor(peerWindow: number, ownWindow: number, prompt: number) {
    this.#ownWindow = ownWindow;
    this.#due = smaller(peerWindow, ownWindow) / 2;
    this.#promptLeft = prompt;
  }

  /** The peer's Window Acknowledgement Size; 0 is ignored. */
  setWindow(bytes: number): void {
    if (bytes > 0) this.#due = smaller(bytes, this.#ownWindow) / 2;
  }

  /**
   * Counts bytes; the sequence number to send when one is due.
   *
   * @param isMoreWaiting The peer has sent more, which is not read yet.
   */
  receive(count: number, isMoreWaiting: boolean): number | undefined {
    this.#received += count;
    this.#isUnanswered = count > 0;
    return isMoreWaiting ? undefined : this.#takeDue();
  }

  /** The sequence number to send when one is due and nothing has come since this was last asked: there was no more after all. */
  takeStalled(): number | undefined {
    const isStalled = this.#received === this.#receivedAtLook;
    this.#receivedAtLook = this.#received;
    return isStalled ? this.#takeDue() : undefined;
  }

  #takeDue(): number | undefined {
    if (this.#due === 0 || this.#received - this.#acknowledged < this.#due) return undefined;
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

/** The smaller of two numbers of bytes, of which one that is 0 is none. */
function smaller(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}
