/** What a server reads of a connection in memory. */
export class ByteInput {
  readonly #pieces: Uint8Array[] = [];
  #wanted: { readonly buffer: Uint8Array; readonly resolve: (count: number | null) => void } | undefined;
  #isEnded = false;

  /** Bytes that have not been read. */
  get length(): number {
    return this.#pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** Gives a copy of bytes to be read. */
  push(bytes: Uint8Array): void {
    if (this.#isEnded || bytes.length === 0) return;
    this.#pieces.push(bytes.slice());
    this.#pass();
  }

  /** There will be no more. */
  end(): void {
    this.#isEnded = true;
    this.#pass();
  }

  readonly read = (buffer: Uint8Array): Promise<number | null> => {
    if (this.#wanted !== undefined) throw new Error("one read at a time");
    return new Promise((resolve) => {
      this.#wanted = { buffer, resolve };
      this.#pass();
    });
  };

  #pass(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    let count = 0;
    for (
      let piece = this.#pieces[0];
      piece !== undefined && count < wanted.buffer.length;
      piece = this.#pieces[0]
    ) {
      const taken = piece.subarray(0, wanted.buffer.length - count);
      wanted.buffer.set(taken, count);
      count += taken.length;
      if (taken.length === piece.length) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(taken.length);
    }
    if (count === 0 && !this.#isEnded) return;
    this.#wanted = undefined;
    wanted.resolve(count === 0 ? null : count);
  }
}
