import type { ConfigIssue, ConfigPosition } from "./config_error.ts";
import { shortText } from "../base/printable.ts";

/** One directive of an SRS `.conf`: `name arg* ;` or `name arg* { directives }`. */
export interface SrsDirective {
  name: string;
  args: string[];
  children: SrsDirective[];
  readonly position: ConfigPosition;
  /** It was written with braces. */
  readonly isBlock?: boolean;
  /** Its value was written as `""`, which SRS drops. */
  readonly isEmptyText?: boolean;
}

/** Options of {@linkcode parseSrsConfig}. */
export interface SrsParserOptions {
  /** The text of a file that is included, by the path as it is written; `undefined` when there is none; throws when it cannot be read. */
  readonly readTextFile: (path: string) => string | undefined;
}

/** What a file says, as far as it could be read, and what could not. */
export interface SrsFile {
  readonly directives: SrsDirective[];
  readonly issues: ConfigIssue[];
}

/** More would be a file that includes itself. */
const MAX_INCLUDE_DEPTH = 16;
/** Of one configuration: each may include several. */
const MAX_INCLUDES = 256;
/** Of all files of one configuration, in characters. */
const MAX_LENGTH = 4 * 1024 * 1024;
/** SRS's own blocks are four deep. */
const MAX_BLOCK_DEPTH = 32;
/** After so many it is no configuration. */
const MAX_ISSUES = 1000;

/**
 * Reads the grammar of SRS's configuration files (`SrsConfDirective::read_token`), with every `include` replaced
 * by what it names. After a mistake it goes on where the next statement begins.
 */
export function parseSrsConfig(text: string, file: string, options: SrsParserOptions): SrsFile {
  const issues: ConfigIssue[] = [];
  const directives = new SrsParser(text, file, { options, issues, includes: 0, length: text.length }, 0)
    .parse("file");
  return { directives, issues };
}

/** The first directive of a name; later ones do not count, as in SRS. */
export function findDirective(directives: SrsDirective[], name: string): SrsDirective | undefined {
  return directives.find((directive) => directive.name === name);
}

/** What a file and those that it includes share. */
interface SharedState {
  readonly options: SrsParserOptions;
  readonly issues: ConfigIssue[];
  includes: number;
  length: number;
}

interface Statement {
  readonly args: string[];
  readonly line: number;
  readonly end: ";" | "{" | "}" | "eof";
  readonly hasEmptyText: boolean;
}

class SrsParser {
  readonly #text: string;
  readonly #file: string;
  readonly #shared: SharedState;
  readonly #includeDepth: number;
  #at = 0;
  #line = 1;
  #blockDepth = 0;
  #isGivenUp = false;

  constructor(text: string, file: string, shared: SharedState, includeDepth: number) {
    this.#text = text;
    this.#file = file;
    this.#shared = shared;
    this.#includeDepth = includeDepth;
    if (text.startsWith("\ufeff")) this.#at = 1;
  }

  parse(context: "file" | "block"): SrsDirective[] {
    const directives: SrsDirective[] = [];
    for (;;) {
      const { args: [name, ...args], line, end, hasEmptyText } = this.#readStatement();
      if (end === "}") {
        if (context === "block") return directives;
        this.#complain("unexpected '}'");
        continue;
      }
      if (end === "eof") {
        if (context === "block") {
          this.#complain("unexpected end of file, a block is not closed by '}'");
          this.#giveUp();
        }
        return directives;
      }
      const children = end === "{" ? this.#block() : [];
      if (name === undefined) {
        this.#complain(`unexpected '${end}'`, line);
      } else if (name === "include" && end === ";") {
        directives.push(...this.#include(args, line));
      } else if (name === "include") {
        this.#complain("unexpected '{' after include", line);
      } else {
        const position = { file: this.#file, line };
        const isEmptyText = hasEmptyText && args.length === 0;
        directives.push({ name, args, children, position, isBlock: end === "{", isEmptyText });
      }
    }
  }

  #block(): SrsDirective[] {
    if (this.#blockDepth >= MAX_BLOCK_DEPTH) {
      this.#complain(`blocks nest deeper than ${MAX_BLOCK_DEPTH}`);
      this.#giveUp();
      return [];
    }
    this.#blockDepth++;
    const children = this.parse("block");
    this.#blockDepth--;
    return children;
  }

  #include(files: string[], line: number): SrsDirective[] {
    if (files.length === 0) this.#complain("include needs a file", line);
    if (this.#includeDepth >= MAX_INCLUDE_DEPTH) {
      this.#complain(`includes nest deeper than ${MAX_INCLUDE_DEPTH}`, line);
      return [];
    }
    return files.flatMap((file) => {
      if (++this.#shared.includes > MAX_INCLUDES) {
        if (this.#shared.includes === MAX_INCLUDES + 1) {
          this.#complain(`more than ${MAX_INCLUDES} files are included`, line);
        }
        return [];
      }
      let text;
      try {
        text = this.#shared.options.readTextFile(file);
      } catch {
        // As one that is not there.
      }
      if (text === undefined) {
        this.#complain(`cannot read the included file ${shortText(file)}`, line);
        return [];
      }
      const { length } = this.#shared;
      this.#shared.length += text.length;
      if (this.#shared.length > MAX_LENGTH) {
        if (length <= MAX_LENGTH) {
          this.#complain(`the files together are longer than ${MAX_LENGTH} characters`, line);
        }
        return [];
      }
      return new SrsParser(text, file, this.#shared, this.#includeDepth + 1).parse("file");
    });
  }

  /** Reads up to the `;`, `{` or `}` that ends a statement. */
  #readStatement(): Statement {
    const args: string[] = [];
    let line = 0;
    let hasEmptyText = false;
    for (;;) {
      const isCutOff = this.#skipBlank(args);
      const char = this.#text[this.#at];
      // The brace of a block is often put on a line of its own; SRS does not take it.
      const ends = isCutOff && char !== "{";
      if (ends || char === undefined) {
        if (args.length === 0) return { args, line, end: "eof", hasEmptyText };
        if (!isCutOff) this.#complain("unexpected end of file, expecting ';' or '{'");
        return { args, line, end: ";", hasEmptyText };
      }
      if (line === 0) line = this.#line;
      if (char === "}" && args.length > 0) {
        this.#complain("unexpected '}'");
        if (this.#blockDepth === 0) this.#at++;
        return { args, line, end: ";", hasEmptyText };
      }
      if (char === ";" || char === "{" || char === "}") {
        this.#at++;
        return { args, line, end: char, hasEmptyText };
      }
      const word = char === '"' || char === "'" ? this.#readQuoted(char, args) : this.#readWord();
      if (word === undefined) return { args, line, end: ";", hasEmptyText: true };
      if (word === "") hasEmptyText = true;
      else args.push(word);
    }
  }

  /**
   * Skips spaces and comments. A line may end only before the second word of a statement.
   *
   * @returns Whether a statement has ended with its line, which is a mistake that has been told.
   */
  #skipBlank(args: string[]): boolean {
    let isRightAfterWord = true;
    let isCutOff = false;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === "#") {
        while (this.#at < this.#text.length && !isLineEnd(this.#text[this.#at])) this.#at++;
        isRightAfterWord = false;
      } else if (isSpace(char)) {
        const ends = char === "\n" || (char === "\r" && this.#text[this.#at + 1] !== "\n");
        // The name may be cut off by the end of its own line, since SRS sees that end as the name's.
        const cutsName = args.length === 1 && isRightAfterWord;
        if (ends && args.length > 0 && !cutsName && !isCutOff) {
          const words = shortText(args.join(" "));
          this.#complain(`unexpected end of line after '${words}', expecting ';' or '{'`);
          isCutOff = true;
        }
        if (char !== "\r") isRightAfterWord = false;
        this.#at++;
        if (char === "\n") this.#line++;
      } else {
        return isCutOff;
      }
    }
  }

  #readWord(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !isWordEnd(this.#text[this.#at])) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** @returns Undefined where its statement ends with it, which has been told. */
  #readQuoted(quote: string, args: string[]): string | undefined {
    const start = ++this.#at;
    const line = this.#line;
    for (; this.#text[this.#at] !== quote; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined) {
        this.#complain(`a ${quote} is not closed`, line);
        this.#giveUp();
        return undefined;
      }
      if (isLineEnd(char) && args.length > 0) {
        this.#complain(`a ${quote} is not closed on its line`, line);
        return undefined;
      }
      if (char === "\n") this.#line++;
    }
    const word = this.#text.slice(start, this.#at++);
    const next = this.#text[this.#at];
    if (next !== undefined && !isWordEnd(next)) {
      this.#complain(`unexpected '${shortText(next)}' after ${quote}, expecting a space, ';' or '{'`);
    }
    return word;
  }

  #complain(message: string, line: number = this.#line): void {
    if (this.#isGivenUp) return;
    const { issues } = this.#shared;
    issues.push({ file: this.#file, line, path: "", message });
    if (issues.length >= MAX_ISSUES) this.#giveUp();
  }

  /** Nothing that follows can be told from what is wrong. */
  #giveUp(): void {
    this.#isGivenUp = true;
    this.#at = this.#text.length;
  }
}

/** SRS's own white space: every other character is part of a word. */
function isSpace(char: string | undefined): boolean {
  return char === " " || char === "\t" || isLineEnd(char);
}

function isLineEnd(char: string | undefined): boolean {
  return char === "\r" || char === "\n";
}

function isWordEnd(char: string | undefined): boolean {
  return char === ";" || char === "{" || isSpace(char);
}
