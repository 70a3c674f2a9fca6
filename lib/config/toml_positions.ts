import { MAX_STEPS, PositionMap, type RawPath } from "./raw_config.ts";

/**
 * Where each key of a TOML document stands, list elements included. smol-toml gives positions for syntax errors
 * only, so this walks the text a second time.
 *
 * @param text A document that smol-toml has accepted; of any other the result is a guess.
 * @param file Its name, for the positions.
 */
export function tomlPositions(text: string, file: string): PositionMap {
  const scanner = new TomlScanner(text, file);
  scanner.scan();
  return scanner.positions;
}

class TomlScanner {
  readonly positions = new PositionMap();
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  scan(): void {
    let table: RawPath = [];
    for (;;) {
      this.#skipBlank();
      const start = this.#at;
      if (start >= this.#text.length) return;
      if (this.#peek() === "[") {
        const isArray = this.#text.startsWith("[[", start);
        this.#advance(isArray ? 2 : 1);
        table = this.#keyPath([]);
        this.#advance(isArray ? 2 : 1);
      } else {
        this.#keyAndValue(table);
      }
      if (this.#at === start) this.#advance(1);
    }
  }

  #keyAndValue(table: RawPath): void {
    const path = this.#keyPath(table);
    this.#skipSpace();
    if (this.#peek() === "=") this.#advance(1);
    this.#skipSpace();
    this.#value(path);
  }

  /** Reads `a."b.c".d` and remembers where each step of it stands. */
  #keyPath(table: RawPath): RawPath {
    let path = table;
    for (;;) {
      this.#skipSpace();
      const position = this.#position();
      const name = this.#key();
      // No key is deeper: without an end, each step would copy all before it.
      if (path.length <= MAX_STEPS) path = [...path, name];
      this.positions.add(path, position);
      this.#skipSpace();
      if (this.#peek() !== ".") return path;
      this.#advance(1);
    }
  }

  #key(): string {
    const quote = this.#peek();
    if (quote === '"' || quote === "'") return this.#string();
    const bare = /[A-Za-z0-9_-]*/y;
    bare.lastIndex = this.#at;
    const name = bare.exec(this.#text)?.[0] ?? "";
    this.#advance(name.length);
    return name;
  }

  #value(path: RawPath): void {
    const first = this.#peek();
    if (first === '"' || first === "'") {
      this.#string();
    } else if (first === "[") {
      this.#list(path);
    } else if (first === "{") {
      this.#advance(1);
      for (this.#skipBlank(); this.#hasMore("}"); this.#skipBlank()) {
        const start = this.#at;
        if (this.#peek() === ",") this.#advance(1);
        else this.#keyAndValue(path);
        if (this.#at === start) this.#advance(1);
      }
      this.#advance(1);
    } else {
      while (this.#at < this.#text.length && !/[\s,\]}#]/.test(this.#peek())) this.#advance(1);
    }
  }

  #list(path: RawPath): void {
    this.#advance(1);
    let index = 0;
    for (this.#skipBlank(); this.#hasMore("]"); this.#skipBlank()) {
      if (this.#peek() === ",") {
        this.#advance(1);
        index++;
        continue;
      }
      const start = this.#at;
      this.positions.add([...path, index], this.#position());
      this.#value([...path, index]);
      if (this.#at === start) this.#advance(1);
    }
    this.#advance(1);
  }

  /** Reads any of the four kinds of strings. Escapes are undone for `\"` and `\\` only, enough for keys. */
  #string(): string {
    const quote = this.#peek();
    const fence = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#advance(fence.length);
    let value = "";
    while (this.#at < this.#text.length && !this.#text.startsWith(fence, this.#at)) {
      if (quote === '"' && this.#peek() === "\\") this.#advance(1);
      value += this.#peek();
      this.#advance(1);
    }
    // Up to two quotes may stand right before the closing three.
    while (fence.length === 3 && this.#text.startsWith(fence, this.#at + 1)) this.#advance(1);
    this.#advance(fence.length);
    return value;
  }

  #skipSpace(): void {
    while (this.#peek() === " " || this.#peek() === "\t") this.#advance(1);
  }

  #skipBlank(): void {
    for (;;) {
      if (this.#peek() === "#") {
        while (this.#at < this.#text.length && this.#peek() !== "\n") this.#advance(1);
      } else if (/^\s$/.test(this.#peek())) {
        this.#advance(1);
      } else {
        return;
      }
    }
  }

  #hasMore(end: string): boolean {
    return this.#at < this.#text.length && this.#peek() !== end;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #advance(count: number): void {
    for (let i = 0; i < count && this.#at < this.#text.length; i++) {
      if (this.#text[this.#at++] !== "\n") continue;
      this.#line++;
      this.#lineStart = this.#at;
    }
  }

  #position(): { file: string; line: number; column: number } {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }
}
