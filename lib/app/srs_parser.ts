import { ConfigError, type ConfigPosition } from "./config_error.ts";

/** One directive of an SRS `.conf`: `name arg* ;` or `name arg* { directives }`. */
export interface SrsDirective {
  name: string;
  args: string[];
  children: SrsDirective[];
  readonly position: ConfigPosition;
}

/** Options of {@linkcode parseSrsConfig}. */
export interface SrsParserOptions {
  /** The text of a file that is included, by the path as it is written; `undefined` when there is none; throws when it cannot be read. */
  readonly readTextFile: (path: string) => string | undefined;
}

/** More would be a file that includes itself. */
const MAX_INCLUDE_DEPTH = 16;

/**
 * Reads the grammar of SRS's configuration files (`SrsConfDirective::read_token`), with every `include` replaced
 * by what it names.
 *
 * @throws {ConfigError} With file and line.
 */
export function parseSrsConfig(text: string, file: string, options: SrsParserOptions): SrsDirective[] {
  return new SrsParser(text, file, options, 0).parse("file");
}

/** The first directive of a name; later ones do not count, as in SRS. */
export function findDirective(directives: SrsDirective[], name: string): SrsDirective | undefined {
  return directives.find((directive) => directive.name === name);
}

interface Statement {
  readonly args: string[];
  readonly line: number;
  readonly end: ";" | "{" | "}" | "eof";
}

class SrsParser {
  readonly #text: string;
  readonly #file: string;
  readonly #options: SrsParserOptions;
  readonly #depth: number;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string, options: SrsParserOptions, depth: number) {
    this.#text = text;
    this.#file = file;
    this.#options = options;
    this.#depth = depth;
  }

  parse(context: "file" | "block"): SrsDirective[] {
    const directives: SrsDirective[] = [];
    for (;;) {
      const { args: [name, ...args], line, end } = this.#readStatement();
      if (end === "}") {
        if (context === "block") return directives;
        throw this.#error("unexpected '}'");
      }
      if (end === "eof") {
        if (context === "file") return directives;
        throw this.#error("unexpected end of file, a block is not closed by '}'");
      }
      if (name === undefined) throw this.#error("empty directive");
      if (name === "include") {
        if (end === "{") throw this.#error("unexpected '{' after include", line);
        directives.push(...this.#include(args, line));
        continue;
      }
      const children = end === "{" ? this.parse("block") : [];
      directives.push({ name, args, children, position: { file: this.#file, line } });
    }
  }

  #include(files: string[], line: number): SrsDirective[] {
    if (files.length === 0) throw this.#error("include needs a file", line);
    if (this.#depth >= MAX_INCLUDE_DEPTH) {
      throw this.#error(`includes nest deeper than ${MAX_INCLUDE_DEPTH}`, line);
    }
    return files.flatMap((file) => {
      let text;
      try {
        text = this.#options.readTextFile(file);
      } catch (cause) {
        throw this.#error(`cannot read the included file ${file}`, line, cause);
      }
      if (text === undefined) throw this.#error(`cannot read the included file ${file}`, line);
      return new SrsParser(text, file, this.#options, this.#depth + 1).parse("file");
    });
  }

  /** Reads up to the `;`, `{` or `}` that ends a statement. */
  #readStatement(): Statement {
    const args: string[] = [];
    let line = 0;
    for (;;) {
      this.#skipBlank(args);
      const char = this.#text[this.#at];
      if (char === undefined) {
        if (args.length > 0) throw this.#error("unexpected end of file, expecting ';' or '{'");
        return { args, line, end: "eof" };
      }
      if (line === 0) line = this.#line;
      if (char === ";" || char === "{" || char === "}") {
        if ((char === "}") !== (args.length === 0)) throw this.#error(`unexpected '${char}'`);
        this.#at++;
        return { args, line, end: char };
      }
      const word = char === '"' || char === "'" ? this.#readQuoted(char, args) : this.#readWord();
      if (word !== "") args.push(word);
    }
  }

  /** Skips spaces and comments. A line may end only before the second word of a statement. */
  #skipBlank(args: string[]): void {
    let lines = 0;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === "#") {
        while (this.#at < this.#text.length && !isLineEnd(this.#text[this.#at])) this.#at++;
      } else if (isSpace(char)) {
        const ends = char === "\n" || (char === "\r" && this.#text[this.#at + 1] !== "\n");
        // The name may be cut off by the end of its own line, since SRS sees that end as the name's.
        const cutsName = args.length === 1 && lines === 0 && this.#isWordChar(this.#at - 1);
        if (ends && args.length > 0 && !cutsName) {
          throw this.#error(`unexpected end of line after '${args.join(" ")}', expecting ';' or '{'`);
        }
        if (ends) lines++;
        this.#at++;
        if (char === "\n") this.#line++;
      } else {
        return;
      }
    }
  }

  #isWordChar(at: number): boolean {
    const char = this.#text[at];
    return char !== undefined && (!isSpace(char) || (char === "\r" && this.#isWordChar(at - 1)));
  }

  #readWord(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[\s;{]/.test(this.#text[this.#at] ?? "")) this.#at++;
    if (this.#at >= this.#text.length) throw this.#error("unexpected end of file, expecting ';' or '{'");
    return this.#text.slice(start, this.#at);
  }

  #readQuoted(quote: string, args: string[]): string {
    const start = ++this.#at;
    const line = this.#line;
    for (; this.#text[this.#at] !== quote; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#error(`a ${quote} is not closed`, line);
      if (isLineEnd(char) && args.length > 0) throw this.#error(`a ${quote} is not closed on its line`, line);
      if (char === "\n") this.#line++;
    }
    const word = this.#text.slice(start, this.#at++);
    const next = this.#text[this.#at];
    if (next !== undefined && !isSpace(next) && next !== ";" && next !== "{") {
      throw this.#error(`unexpected '${next}' after ${quote}, expecting a space, ';' or '{'`);
    }
    return word;
  }

  #error(message: string, line?: number, cause?: unknown): ConfigError {
    return new ConfigError([{ file: this.#file, line: line ?? this.#line, path: "", message }], { cause });
  }
}

function isSpace(char: string | undefined): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n";
}

function isLineEnd(char: string | undefined): boolean {
  return char === "\r" || char === "\n";
}
