/** The bits ended before the value did. Never leaves the parsers of codec configuration. */
export class BitsEnded extends Error {
  override readonly name = "BitsEnded";
}

/** Reads codec configuration, whose fields are not whole bytes. Most significant bit first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits that are not read yet. */
  get remaining(): number {
    return this.#bytes.byteLength * 8 - this.#position;
  }

  /** The next `count` bits, at most 32, as an unsigned number. @throws {BitsEnded} */
  bits(count: number): number {
    if (count > this.remaining) throw new BitsEnded(`Cannot read ${count} bits: ${this.remaining} left`);
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position++;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** @throws {BitsEnded} */
  skip(count: number): void {
    if (count > this.remaining) throw new BitsEnded(`Cannot skip ${count} bits: ${this.remaining} left`);
    this.#position += count;
  }

  /** An unsigned Exp-Golomb number, `ue(v)` in H.264 and H.265. @throws {BitsEnded} */
  unsignedExpGolomb(): number {
    let zeros = 0;
    while (!this.flag()) {
      if (++zeros > 32) throw new BitsEnded("Cannot read Exp-Golomb number: more than 32 zeros");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** A signed Exp-Golomb number, `se(v)`. @throws {BitsEnded} */
  signedExpGolomb(): number {
    const value = this.unsignedExpGolomb();
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  }
}
