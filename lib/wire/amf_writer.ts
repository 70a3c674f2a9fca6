const UTF8 = new TextEncoder();

/** Gathers the scalars that AMF0 and AMF3 share, in a buffer that grows. */
export class AmfWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    const start = this.#reserve(1);
    this.#bytes[start] = value;
  }

  u16(value: number): void {
    const start = this.#reserve(2);
    this.#view.setUint16(start, value);
  }

  i16(value: number): void {
    const start = this.#reserve(2);
    this.#view.setInt16(start, value);
  }

  u32(value: number): void {
    const start = this.#reserve(4);
    this.#view.setUint32(start, value);
  }

  i32(value: number): void {
    const start = this.#reserve(4);
    this.#view.setInt32(start, value);
  }

  f64(value: number): void {
    const start = this.#reserve(8);
    this.#view.setFloat64(start, value);
  }

  bytes(value: Uint8Array): void {
    const start = this.#reserve(value.byteLength);
    this.#bytes.set(value, start);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Room for `count` bytes. Replaces the buffer, so it must come before the buffer is named. */
  #reserve(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.byteLength * 2));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return start;
  }
}

/** Text as UTF-8; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return UTF8.encode(text);
}
