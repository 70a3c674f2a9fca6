/** Reads at a connection's beginning that are answered at once, see `takePrompt`. */
export const PROMPT_ACKNOWLEDGEMENTS = 8;

/**
 * When to acknowledge what a peer sent. Counts every byte of the connection, handshake included, as SRS does; some hardware
 * encoders stop sending when nobody does.
 */
export class Acknowledgement {
  #window: number;
  #received = 0;
  #acknowledged = 0;
  #promptLeft: number;
  #isUnanswered = false;

  /**
   * @param window Bytes; 0: none until the peer asks for one.
   * @param prompt How many reads may be answered at once.
   */
  constructor(window: number, prompt: number) {
    this.#window = window;
    this.#promptLeft = prompt;
  }

  /** The peer's Window Acknowledgement Size; 0 is ignored. */
  setWindow(bytes: number): void {
    if (bytes > 0) this.#window = bytes;
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
