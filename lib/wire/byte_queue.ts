/**
 * Bytes that have come but are not yet enough. Holds copies, so the caller may reuse its buffer.
 */
export class ByteQueue {
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Bytes held. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The bytes held, as a view that is valid until the next `push`. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Removes `count` bytes and returns them as a view that is valid until the next `push`. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#start + count);
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
    return taken;
  }

  /** Lets go of memory when nothing is held. */
  release(): void {
    if (this.length === 0) this.#bytes = new Uint8Array(0);
  }

  #makeRoom(count: number): void {
    const held = this.length;
    if (held + count <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const grown = new Uint8Array(Math.max(held + count, this.#bytes.length * 2, 256));
      grown.set(this.peek());
      this.#bytes = grown;
    }
    this.#start = 0;
    this.#end = held;
  }
}
