// deno-lint-ignore-file camelcase -- names of llhttp
// @ts-types="./llhttp.d.ts"
import llhttpBytes from "undici/llhttp";
import { HttpError } from "./http_error.ts";

/** One request as it came. */
export interface ParsedRequest {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** 0 or 1, of HTTP/1. */
  readonly minorVersion: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** Whether the connection may be used for another request. */
  readonly isKeptAlive: boolean;
}

export interface RequestLimits {
  /** Request line and headers, in bytes. */
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

/** llhttp's codes (its `constants.js`). */
const TYPE_REQUEST = 1;
const OK = 0;
const USER_ERROR = 24;
const PAUSED = 21;
const PAUSED_HTTP2 = 23;
const PAUSED_UPGRADE = 22;

const ONLY_HTTP1 = "Cannot read request: only HTTP/1.1 is supported";

/** Bytes that are given to llhttp at once; they are copied, also for the shortest of many requests in them. */
const CHUNK_BYTES = 16 * 1024;

interface LlhttpExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, bytes: number, length: number): number;
  llhttp_resume(parser: number): void;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
}

/** The parser that llhttp is working for: it is one program for all, and calls back. */
let current: RequestParser | undefined;
let shared: { readonly llhttp: LlhttpExports; readonly input: number } | undefined;

function load(): { readonly llhttp: LlhttpExports; readonly input: number } {
  if (shared !== undefined) return shared;
  const into =
    (take: (parser: RequestParser, at: number, length: number) => number) =>
    (_: number, at: number, length: number): number => take(current as RequestParser, at, length);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(llhttpBytes), {
    env: {
      wasm_on_message_begin: () => OK,
      wasm_on_url: into((parser, at, length) => parser.onTarget(at, length)),
      wasm_on_status: () => OK,
      wasm_on_header_field: into((parser, at, length) => parser.onHeaderName(at, length)),
      wasm_on_header_value: into((parser, at, length) => parser.onHeaderValue(at, length)),
      wasm_on_headers_complete: (_: number, _status: number, _upgrade: number, isKeptAlive: number) =>
        (current as RequestParser).onHeadersComplete(isKeptAlive !== 0),
      wasm_on_body: into((parser, at, length) => parser.onBody(at, length)),
      wasm_on_message_complete: () => (current as RequestParser).onComplete(),
    },
  });
  const llhttp = instance.exports as unknown as LlhttpExports;
  llhttp._initialize();
  return shared = { llhttp, input: llhttp.malloc(CHUNK_BYTES) };
}

/**
 * Turns the bytes of one HTTP/1 connection into requests, one at a time: {@linkcode push} them in order, and take {@linkcode request}.
 * What the grammar leaves open to doubt (folded headers, two lengths, bare line feeds) is refused, as llhttp does.
 */
export class RequestParser {
  readonly #limits: RequestLimits;
  readonly #llhttp: LlhttpExports;
  readonly #input: number;
  #parser: number;
  #target = "";
  #headers: [string, string][] = [];
  #isInValue = false;
  #headBytes = 0;
  #hasHead = false;
  #isKeptAlive = false;
  #expectsContinue = false;
  #body: Uint8Array<ArrayBuffer>[] = [];
  #bodyBytes = 0;
  #request: ParsedRequest | undefined;
  #refusal: HttpError | undefined;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    ({ llhttp: this.#llhttp, input: this.#input } = load());
    this.#parser = this.#llhttp.llhttp_alloc(TYPE_REQUEST);
  }

  /** A whole request that has come; undefined: not yet. `next` goes on behind it. */
  get request(): ParsedRequest | undefined {
    return this.#request;
  }

  /** Whether the request line and headers have come. */
  get hasHead(): boolean {
    return this.#hasHead;
  }

  /** Whether the client waits for a word before it sends the body. */
  get isContinueExpected(): boolean {
    return this.#expectsContinue && this.#request === undefined;
  }

  /**
   * Reads at most up to the end of one request.
   *
   * @returns How many bytes were taken: what is left belongs to the next request, after {@linkcode next}.
   * @throws {HttpError} The refusal; the connection can't go on.
   */
  push(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.#request === undefined) {
      taken += this.#execute(bytes.subarray(taken, taken + CHUNK_BYTES));
    }
    return taken;
  }

  /** Makes ready for the request behind the one that has come. */
  next(): void {
    this.#request = undefined;
    this.#target = "";
    this.#headers = [];
    this.#isInValue = false;
    this.#headBytes = 0;
    this.#hasHead = false;
    this.#expectsContinue = false;
    this.#body = [];
    this.#bodyBytes = 0;
  }

  /** Gives its memory back. It may be called again, and nothing else after it. */
  close(): void {
    if (this.#parser !== 0) this.#llhttp.llhttp_free(this.#parser);
    this.#parser = 0;
  }

  /** For llhttp, as all that begins with `on`. */
  onTarget(at: number, length: number): number {
    if (!this.#countHead(length)) return USER_ERROR;
    this.#target += this.#text(at, length);
    return OK;
  }

  onHeaderName(at: number, length: number): number {
    if (!this.#countHead(length)) return USER_ERROR;
    // What comes behind the body is counted, and of no use.
    if (this.#hasHead) return OK;
    const last = this.#headers.at(-1);
    if (last === undefined || this.#isInValue) {
      // Its colon, its line's end.
      if (!this.#countHead(4)) return USER_ERROR;
      this.#headers.push([this.#text(at, length), ""]);
      this.#isInValue = false;
    } else {
      last[0] += this.#text(at, length);
    }
    return OK;
  }

  onHeaderValue(at: number, length: number): number {
    if (!this.#countHead(length)) return USER_ERROR;
    if (this.#hasHead) return OK;
    this.#isInValue = true;
    const last = this.#headers.at(-1);
    if (last !== undefined) last[1] += this.#text(at, length);
    return OK;
  }

  onHeadersComplete(isKeptAlive: boolean): number {
    this.#hasHead = true;
    this.#isKeptAlive = isKeptAlive;
    if (this.#llhttp.llhttp_get_http_major(this.#parser) !== 1) {
      return this.#refuse(new HttpError(505, ONLY_HTTP1));
    }
    for (const [name, value] of this.#headers) {
      switch (name.toLowerCase()) {
        case "content-length":
          // Refused before it comes.
          if (Number(value) > this.#limits.maxBodyBytes) return this.#refuseBody();
          break;
        case "expect":
          this.#expectsContinue = value.toLowerCase() === "100-continue";
          break;
      }
    }
    return OK;
  }

  onBody(at: number, length: number): number {
    this.#bodyBytes += length;
    if (this.#bodyBytes > this.#limits.maxBodyBytes) return this.#refuseBody();
    this.#body.push(new Uint8Array(this.#llhttp.memory.buffer, at, length).slice());
    return OK;
  }

  onComplete(): number {
    const llhttp = this.#llhttp;
    const body = new Uint8Array(this.#bodyBytes);
    let offset = 0;
    for (const piece of this.#body) {
      body.set(piece, offset);
      offset += piece.length;
    }
    this.#request = {
      method: this.#cText(llhttp.llhttp_method_name(llhttp.llhttp_get_method(this.#parser))),
      target: this.#target,
      minorVersion: llhttp.llhttp_get_http_minor(this.#parser),
      headers: this.#headers,
      body,
      isKeptAlive: this.#isKeptAlive,
    };
    return PAUSED;
  }

  #execute(bytes: Uint8Array): number {
    const llhttp = this.#llhttp;
    new Uint8Array(llhttp.memory.buffer, this.#input, CHUNK_BYTES).set(bytes);
    current = this;
    let result: number;
    try {
      result = llhttp.llhttp_execute(this.#parser, this.#input, bytes.length);
    } finally {
      current = undefined;
    }
    if (result === OK) return bytes.length;
    const taken = llhttp.llhttp_get_error_pos(this.#parser) - this.#input;
    if (result === PAUSED) llhttp.llhttp_resume(this.#parser);
    // What is asked to upgrade goes on as HTTP all the same, or is taken out of this parser's hands.
    else if (result === PAUSED_UPGRADE) llhttp.llhttp_resume_after_upgrade(this.#parser);
    else if (result === PAUSED_HTTP2) throw new HttpError(505, ONLY_HTTP1);
    else {
      throw this.#refusal ??
        new HttpError(
          400,
          `Cannot read request: ${this.#cText(llhttp.llhttp_get_error_reason(this.#parser))}`,
        );
    }
    return taken;
  }

  #countHead(length: number): boolean {
    this.#headBytes += length;
    if (this.#headBytes <= this.#limits.maxHeadBytes) return true;
    const limit = `longer than ${this.#limits.maxHeadBytes} bytes`;
    this.#refuse(
      this.#headers.length === 0
        ? new HttpError(414, `Cannot read request: its URL is ${limit}`)
        : new HttpError(431, `Cannot read request: its headers are ${limit}`),
    );
    return false;
  }

  #refuseBody(): number {
    return this.#refuse(
      new HttpError(413, `Cannot read request: its body is longer than ${this.#limits.maxBodyBytes} bytes`),
    );
  }

  #refuse(error: HttpError): number {
    this.#refusal = error;
    return USER_ERROR;
  }

  /** A piece of the head; each of its bytes is a character, as Fetch takes them. */
  #text(at: number, length: number): string {
    return latin1(new Uint8Array(this.#llhttp.memory.buffer, at, length));
  }

  #cText(at: number): string {
    if (at === 0) return "";
    const bytes = new Uint8Array(this.#llhttp.memory.buffer, at);
    return latin1(bytes.subarray(0, bytes.indexOf(0)));
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 4096) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + 4096));
  }
  return text;
}
