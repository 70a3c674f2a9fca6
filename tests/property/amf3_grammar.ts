import type { Random } from "./random.ts";

/** How deep values nest, mostly within the decoder's limit. */
const MAX_DEPTH = 6;
/** A length, count or index is wrong once in so many times. */
const LIES = 40;

/** Writes AMF3 that keeps to the grammar, its reference tables among it, and sometimes doesn't. */
class Amf3Forger {
  readonly bytes: number[] = [];
  readonly #random: Random;
  #strings = 0;
  #objects = 0;
  readonly #traits: { sealed: number; isDynamic: boolean; isWrapper: boolean }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  value(depth: number): void {
    const random = this.#random;
    const marker = depth >= MAX_DEPTH
      ? random.below(7)
      : random.once(60)
      ? random.below(256)
      : random.below(18);
    this.bytes.push(marker);
    switch (marker) {
      case 4:
        return this.#u29(random.below(1 << 29));
      case 5:
        return this.#raw(8);
      case 6:
        return this.#string();
      case 7:
      case 11:
        return this.#object(() => this.#sized());
      case 8:
        return this.#object(() => {
          this.#u29(1);
          this.#raw(8);
        });
      case 9:
        return this.#object(() => this.#array(depth));
      case 10:
        return this.#object(() => this.#instance(depth));
      case 12:
        return this.#object(() => this.#sized());
      case 13:
      case 14:
      case 15:
        return this.#object(() => {
          const count = this.#count(random.below(4));
          this.bytes.push(random.below(2));
          this.#raw(count * (marker === 15 ? 8 : 4));
        });
      case 16:
        return this.#object(() => {
          const count = this.#count(random.below(4));
          this.bytes.push(random.below(2));
          this.#string();
          for (let i = 0; i < count; i++) this.value(depth + 1);
        });
      case 17:
        return this.#object(() => {
          const count = this.#count(random.below(3));
          this.bytes.push(random.below(2));
          for (let i = 0; i < 2 * count; i++) this.value(depth + 1);
        });
    }
  }

  #array(depth: number): void {
    const count = this.#count(this.#random.below(4));
    this.#dynamic(depth);
    for (let i = 0; i < count; i++) this.value(depth + 1);
  }

  #instance(depth: number): void {
    const random = this.#random;
    let traits = this.#traits[random.below(this.#traits.length + 1)];
    if (traits !== undefined) {
      this.#u29((this.#lie(this.#traits.indexOf(traits)) << 2) | 1);
    } else {
      traits = { sealed: random.below(4), isDynamic: random.once(2), isWrapper: random.once(6) };
      this.#traits.push(traits);
      if (traits.isWrapper) {
        this.#u29(7);
        const name = random.once(3) ? "a.B" : "flex.messaging.io.ArrayCollection";
        this.#text(new TextEncoder().encode(name));
      } else {
        this.#u29((this.#lie(traits.sealed) << 4) | (traits.isDynamic ? 0b1011 : 0b0011));
        this.#string();
        for (let i = 0; i < traits.sealed; i++) this.#string();
      }
    }
    if (traits.isWrapper) return this.value(depth + 1);
    for (let i = 0; i < traits.sealed; i++) this.value(depth + 1);
    if (traits.isDynamic) this.#dynamic(depth);
  }

  #dynamic(depth: number): void {
    for (let i = this.#random.below(3); i > 0; i--) {
      this.#string(true);
      this.value(depth + 1);
    }
    this.bytes.push(1);
  }

  /** An object inline, or one that was there before. */
  #object(inline: () => void): void {
    if (this.#objects > 0 && this.#random.once(4)) {
      this.#u29(this.#lie(this.#random.below(this.#objects)) << 1);
      return;
    }
    this.#objects++;
    inline();
  }

  #sized(): void {
    this.#raw(this.#count(this.#random.below(6)));
  }

  #string(isName: boolean = false): void {
    if (this.#strings > 0 && this.#random.once(3)) {
      this.#u29(this.#lie(this.#random.below(this.#strings)) << 1);
    } else this.#text(this.#random.bytes((isName ? 1 : 0) + this.#random.below(4)));
  }

  #text(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#strings++;
    this.#u29((this.#lie(bytes.length) << 1) | 1);
    this.bytes.push(...bytes);
  }

  /** Writes a count; returns the true one. */
  #count(count: number): number {
    this.#u29((this.#lie(count) << 1) | 1);
    return count;
  }

  #lie(value: number): number {
    return this.#random.once(LIES)
      ? this.#random.pick([0, 1, value + 1, 0x7f, 0x3ff, 0xffff, 0xfff_ffff])
      : value;
  }

  #raw(length: number): void {
    this.bytes.push(...this.#random.bytes(length));
  }

  #u29(value: number): void {
    const all = value & 0x1fff_ffff;
    if (all >= 0x20_0000) {
      this.bytes.push((all >>> 22) | 0x80, (all >>> 15) | 0x80, (all >>> 8) | 0x80, all & 0xff);
    } else if (all >= 0x4000) this.bytes.push((all >>> 14) | 0x80, (all >>> 7) | 0x80, all & 0x7f);
    else if (all >= 0x80) this.bytes.push((all >>> 7) | 0x80, all & 0x7f);
    else this.bytes.push(all);
  }
}

/** AMF3 values, right or nearly right. */
export function forgeAmf3(random: Random, count: number = 1): Uint8Array {
  const forger = new Amf3Forger(random);
  for (let i = 0; i < count; i++) forger.value(0);
  return Uint8Array.from(forger.bytes);
}
