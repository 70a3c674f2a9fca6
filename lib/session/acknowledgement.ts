/**
 * When to acknowledge what a peer sent. Counts every byte of the connection, handshake included, as SRS does; some hardware
 * encoders stop sending when nobody does.
 */
export class Acknowledgement {
  #window: number;
  #received = 0;
  #acknowledged = 0;

  /** @param window Bytes; 0: none until the peer asks for one. */
  constructor(window: number) {
    this.#window = window;
  }

  /** The peer's Window Acknowledgement Size; 0 is ignored. */
  setWindow(bytes: number): void {
    if (bytes > 0) this.#window = bytes;
  }

  /** Counts bytes; the sequence number to send when half a window has come since the last one. */
  receive(count: number): number | undefined {
    this.#received += count;
    if (this.#window === 0 || this.#received - this.#acknowledged < this.#window / 2) return undefined;
    this.#acknowledged = this.#received;
    return this.#received >>> 0;
  }
}
