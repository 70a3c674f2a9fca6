import { inBackground } from "../../base/background.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { RtmpError } from "../../base/errors.ts";
import { joinBytes } from "../../base/join_bytes.ts";
import { ConnectionWriter, type MediaSource } from "../../net/connection_writer.ts";
import type { MediaPlay, MediaSink } from "../../net/media_sink.ts";
import { pumpBytes } from "../../net/pump.ts";
import { type ByteDuplex, isConnectionLoss, type SocketAddress } from "../../net/tcp.ts";
import {
  WEB_SOCKET_OPCODE,
  WebSocketError,
  webSocketFrame,
  WebSocketReader,
} from "../../wire/web_socket_frame.ts";
import { forwardedClient } from "./client_address.ts";
import { HttpError } from "./http_error.ts";
import type { HttpAnswer, HttpHandler } from "./http_handler.ts";
import { type ParsedRequest, type RequestLimits, RequestParser } from "./request_parser.ts";
import { requestUrl } from "./request_url.ts";
import { responseHead } from "./response_head.ts";
import { webSocketAccept, webSocketKey } from "./web_socket_handshake.ts";

/** How long a client may take for a request line and headers, in milliseconds; also for its first byte. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long it may take for a whole request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long a connection may wait for its next request, in milliseconds. */
const IDLE_TIMEOUT_MS = 60_000;
/** How long a connection that ends may take for its last words, in milliseconds. */
const LINGER_MS = 1000;
/** What a client sends ahead of its answer, in bytes, before it is read no further. */
const MAX_AHEAD_BYTES = 16 * 1024;
/** Longest message that a WebSocket may send, in bytes. */
const MAX_WEB_SOCKET_MESSAGE_BYTES = 4 * 1024;
/** Answers to pings that may wait for a WebSocket that reads nothing, in bytes. */
const MAX_QUEUED_BYTES = 64 * 1024;
const NORMAL_CLOSURE = 1000;
const GOING_AWAY = 1001;
/** A record of TLS that holds a handshake message; no request begins so. */
const TLS_HANDSHAKE = 0x16;

/** What all connections of a server share. */
export interface HttpConnectionContext {
  readonly clock: Clock;
  readonly limits: () => RequestLimits & { readonly sendTimeoutMs: number };
  /** A fault of this program; the client is answered 500. */
  readonly onFault: (error: unknown) => void;
  /** Whether a peer is a proxy whose word about its clients counts. */
  readonly isTrustedProxy: (ip: string) => boolean;
  /** A trusted proxy's headers contradict each other. */
  readonly onContradiction?: (peer: SocketAddress) => void;
  /** A client that speaks TLS where plain HTTP is spoken. */
  readonly onTlsClient?: (peer: SocketAddress, local: SocketAddress) => void;
  /** Counts bytes of answers that are not sent yet, of all connections together. */
  readonly backlog: { bytes: number; readonly maxBytes: number };
}

/**
 * - `reading`: a request, or waiting for one
 * - `answering`: its answer is made
 * - `writing`: it is sent
 * - `playing`: it is a live stream
 * - `ending`: all is said
 * - `closed`
 */
type State = "reading" | "answering" | "writing" | "playing" | "ending" | "closed";

/** One connection of an HTTP client, from its first byte to its end: requests one after another, the last of which may be a play. */
export class HttpConnection implements MediaSink {
  readonly #context: HttpConnectionContext;
  readonly #handler: HttpHandler;
  readonly #moveTo: (ip: string) => void;
  readonly #duplex: ByteDuplex;
  readonly #writer: ConnectionWriter;
  readonly #parser: RequestParser;
  #state: State = "reading";
  #deadlineMs: number;
  /** Whether something of the request under way has come. */
  #isBegun = false;
  /** What came ahead of the answer under way. */
  #ahead: Uint8Array[] = [];
  #aheadBytes = 0;
  /** Reading waits for it: too much has come ahead. */
  #roomAhead: PromiseWithResolvers<void> | undefined;
  #abort: AbortController | undefined;
  #play: MediaPlay | undefined;
  #source: MediaSource | undefined;
  #webSocket: WebSocketReader | undefined;
  #backlogBytes = 0;
  #lingerTimer: Timer | undefined;

  /** @param moveTo Counts it for the address of the client that plays over it; throws when that has too many. */
  constructor(
    context: HttpConnectionContext,
    handler: HttpHandler,
    duplex: ByteDuplex,
    moveTo: (ip: string) => void = () => {},
  ) {
    this.#moveTo = moveTo;
    const { clock } = context;
    this.#context = context;
    this.#handler = handler;
    this.#duplex = duplex;
    this.#parser = new RequestParser(context.limits());
    this.#deadlineMs = clock.now() + HEAD_TIMEOUT_MS;
    this.#writer = new ConnectionWriter({
      write: (bytes) => duplex.write(bytes),
      onError: () => this.cut(),
      onMoreLater: () => this.#play?.markBehind(),
      now: () => clock.now(),
    });
  }

  get sentBytes(): number {
    return this.#writer.sentBytes;
  }
  get writingSinceMs(): number | undefined {
    return this.#writer.writingSinceMs;
  }

  get #isOver(): boolean {
    return this.#state === "ending" || this.#state === "closed";
  }

  /** Runs the connection to its end. Never throws. */
  async run(): Promise<void> {
    try {
      await pumpBytes(this.#duplex, {
        receive: (bytes) => this.#receive(bytes),
        clock: this.#context.clock,
      });
    } catch (error) {
      if (!isConnectionLoss(error)) this.#context.onFault(error);
    }
    this.cut();
  }

  /** Lets time pass; called about twice a second. */
  tick(nowMs: number): void {
    // A play has its own patience.
    if (this.#state === "playing") return;
    if (this.#state === "reading") {
      if (nowMs < this.#deadlineMs) return;
      if (this.#isBegun) this.#refuse(new HttpError(408, "Cannot read request: timed out"));
      else this.cut();
      return;
    }
    const { sendTimeoutMs } = this.#context.limits();
    const since = this.#writer.writingSinceMs;
    if (since !== undefined && nowMs - since > Math.min(sendTimeoutMs, IDLE_TIMEOUT_MS)) this.cut();
  }

  /** Takes no more requests: ends at once, or when the answer under way is out. */
  shutDown(): void {
    if (this.#state === "reading") this.cut();
  }

  send(bytes: Uint8Array): void {
    const isFramed = this.#webSocket !== undefined;
    this.#writer.send(isFramed ? webSocketFrame(WEB_SOCKET_OPCODE.binary, bytes) : bytes);
  }

  addSource(source: MediaSource): void {
    this.#source = source;
    this.#writer.addSource(source);
  }

  setNoDelay(isOn: boolean): void {
    this.#duplex.setNoDelay?.(isOn);
  }

  flush(): void {
    this.#writer.flush();
  }

  end(why?: "going-away"): void {
    if (this.#state !== "playing") return;
    if (this.#webSocket !== undefined) this.#closeWebSocket(why === undefined ? NORMAL_CLOSURE : GOING_AWAY);
    else this.#finish();
  }

  cut(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (this.#lingerTimer !== undefined) this.#context.clock.clearTimer(this.#lingerTimer);
    this.#parser.close();
    this.#writer.close();
    this.#duplex.close();
    this.#context.backlog.bytes -= this.#backlogBytes;
    this.#backlogBytes = 0;
    this.#ahead = [];
    this.#abort?.abort();
    this.#play?.close();
    this.#readOn();
  }

  /** @param isOurs Whether the bytes stay as they are after this. */
  #receive(bytes: Uint8Array, isOurs: boolean = false): void | Promise<void> {
    switch (this.#state) {
      case "reading":
        return this.#read(bytes, isOurs);
      case "answering":
      case "writing":
        return this.#keepAhead(bytes, isOurs);
      case "playing":
        return this.#readWebSocket(bytes);
      case "ending":
      case "closed":
        return;
    }
  }

  /** The client is read on while it waits, so that its leaving is seen, but not without end. */
  #keepAhead(bytes: Uint8Array, isOurs: boolean): void | Promise<void> {
    this.#ahead.push(isOurs ? bytes : bytes.slice());
    this.#aheadBytes += bytes.length;
    if (this.#aheadBytes <= MAX_AHEAD_BYTES) return;
    return (this.#roomAhead ??= Promise.withResolvers()).promise;
  }

  /** What has come ahead has its turn. */
  #receiveAhead(): void {
    const ahead = this.#ahead;
    this.#ahead = [];
    this.#aheadBytes = 0;
    // As one piece: many small ones would be taken and kept again for each request in them.
    const [bytes = new Uint8Array(0)] = ahead.length <= 1 ? ahead : [joinBytes(ahead)];
    if (bytes.length > 0) {
      inBackground(Promise.resolve(this.#receive(bytes, true)), "reading an HTTP connection");
    }
    if (this.#aheadBytes <= MAX_AHEAD_BYTES) this.#readOn();
  }

  #readOn(): void {
    this.#roomAhead?.resolve();
    this.#roomAhead = undefined;
  }

  #read(bytes: Uint8Array, isOurs: boolean): void | Promise<void> {
    const nowMs = this.#context.clock.now();
    if (!this.#isBegun) {
      if (bytes[0] === TLS_HANDSHAKE) return this.#refuseTls();
      this.#isBegun = true;
      this.#deadlineMs = nowMs + HEAD_TIMEOUT_MS;
    }
    let taken: number;
    try {
      const hadHead = this.#parser.hasHead;
      taken = this.#parser.push(bytes);
      if (!hadHead && this.#parser.hasHead) {
        this.#deadlineMs = nowMs + REQUEST_TIMEOUT_MS;
        if (this.#parser.isContinueExpected) this.#writer.send(responseHead(100, []));
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return this.#refuse(error);
    }
    const { request } = this.#parser;
    if (request === undefined) return;
    this.#state = "answering";
    this.#answer(request).catch((error) => {
      this.#context.onFault(error);
      this.cut();
    });
    if (taken < bytes.length) return this.#keepAhead(bytes.subarray(taken), isOurs);
  }

  /** Who asks: behind a proxy, the client that it names. */
  #clientOf({ headers }: ParsedRequest): SocketAddress {
    const { remoteAddress } = this.#duplex;
    const { isTrustedProxy, onContradiction } = this.#context;
    const client = forwardedClient(headers, remoteAddress, isTrustedProxy);
    if (client?.isContradicted) onContradiction?.(remoteAddress);
    return client?.peer ?? remoteAddress;
  }

  #refuseTls(): void {
    const { remoteAddress, localAddress } = this.#duplex;
    this.#context.onTlsClient?.(remoteAddress, localAddress);
    this.#refuse(
      new HttpError(400, "Cannot read request: it is TLS (https://), this port is for plain HTTP (http://)"),
    );
  }

  async #answer(request: ParsedRequest): Promise<void> {
    const abort = this.#abort = new AbortController();
    const isHead = request.method === "HEAD";
    const peer = this.#clientOf(request);
    let key: string | undefined;
    let answer: HttpAnswer;
    try {
      key = webSocketKey(request);
      const { bytes, maxBytes } = this.#context.backlog;
      if (bytes > maxBytes) {
        throw new HttpError(503, "Cannot answer: too many responses are queued for clients that do not read");
      }
      answer = await this.#handler(this.#toFetch(request), {
        peer,
        isHead,
        isWebSocket: key !== undefined,
        signal: abort.signal,
      });
    } catch (error) {
      this.#abort = undefined;
      if (!(error instanceof HttpError)) this.#context.onFault(error);
      return this.#refuse(error instanceof HttpError ? error : new HttpError(500, "Internal Server Error"));
    }
    this.#abort = undefined;
    const { response, play } = answer;
    if (this.#state !== "answering") {
      play?.close();
      return;
    }
    if (play !== undefined) {
      try {
        if (peer.hostname !== this.#duplex.remoteAddress.hostname) this.#moveTo(peer.hostname);
      } catch (error) {
        if (!(error instanceof RtmpError)) throw error;
        play.close();
        return this.#refuse(new HttpError(error.httpStatus, error.message));
      }
      return this.#begin(play, response, key);
    }
    const body = new Uint8Array(await response.arrayBuffer());
    if (this.#state !== "answering") return;
    const hasLength = answer.isEndless !== true && response.status !== 204 && response.status !== 304;
    const head = responseHead(response.status, [
      ...response.headers,
      ["date", this.#date()],
      ...(hasLength ? [["content-length", String(body.length)]] as const : []),
      ...(request.isKeptAlive
        ? request.minorVersion === 0 ? [["connection", "keep-alive"]] as const : []
        : [["connection", "close"]] as const),
    ]);
    await this.#write(isHead || body.length === 0 ? head : joinBytes([head, body]));
    if (this.#isOver) return;
    if (request.isKeptAlive) this.#readNext();
    else this.#finish();
  }

  /** @throws {HttpError} When no handler could make sense of it. */
  #toFetch(request: ParsedRequest): Request {
    const { method, body } = request;
    // Fetch has no words for these.
    if (method === "CONNECT" || method === "TRACE") {
      throw new HttpError(405, `Cannot handle ${method}: the method is not supported`);
    }
    const url = requestUrl(request, this.#duplex);
    const isRead = method === "GET" || method === "HEAD";
    try {
      return new Request(url, {
        method: isRead ? "GET" : method,
        headers: request.headers as [string, string][],
        ...(isRead || body.length === 0 ? {} : { body }),
      });
    } catch {
      throw new HttpError(400, "Cannot read request: a header is malformed");
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#state = "writing";
    this.#backlogBytes = bytes.length;
    this.#context.backlog.bytes += bytes.length;
    this.#writer.send(bytes);
    await this.#writer.drained();
    this.#context.backlog.bytes -= this.#backlogBytes;
    this.#backlogBytes = 0;
  }

  #readNext(): void {
    this.#parser.next();
    this.#state = "reading";
    this.#isBegun = false;
    this.#deadlineMs = this.#context.clock.now() + IDLE_TIMEOUT_MS;
    this.#receiveAhead();
  }

  /** The time as HTTP writes it (RFC 9110 section 5.6.7). */
  #date(): string {
    return new Date(this.#context.clock.wallNow()).toUTCString();
  }

  /** Says why, and closes: what came may be the beginning of anything. */
  #refuse(error: HttpError): void {
    if (this.#isOver) return;
    const body = new TextEncoder().encode(JSON.stringify({ code: error.status, message: error.message }));
    this.#writer.send(joinBytes([
      responseHead(error.status, [
        ["content-type", "application/json"],
        ["cache-control", "no-store"],
        ["date", this.#date()],
        ...(error.status === 426 ? [["sec-websocket-version", "13"]] as const : []),
        ["content-length", String(body.length)],
        ["connection", "close"],
      ]),
      body,
    ]));
    // What is still on its way is read and dropped: closing before would take the answer from the client.
    this.#linger();
  }

  #begin(play: MediaPlay, response: Response, key: string | undefined): void {
    this.#state = "playing";
    this.#play = play;
    if (key === undefined) {
      this.#writer.send(responseHead(200, [
        ...response.headers,
        ["date", this.#date()],
        ["connection", "close"],
      ]));
    } else {
      this.#webSocket = new WebSocketReader(MAX_WEB_SOCKET_MESSAGE_BYTES);
      this.#writer.send(responseHead(101, [
        ["upgrade", "websocket"],
        ["connection", "Upgrade"],
        ["sec-websocket-accept", webSocketAccept(key)],
      ]));
    }
    play.open(this);
    this.#receiveAhead();
  }

  #readWebSocket(bytes: Uint8Array): void {
    if (this.#webSocket === undefined) return;
    try {
      for (const input of this.#webSocket.push(bytes)) {
        if (input.kind === "close") return this.#closeWebSocket(NORMAL_CLOSURE);
        if (this.#writer.queuedBytes > MAX_QUEUED_BYTES) return this.cut();
        this.#writer.send(webSocketFrame(WEB_SOCKET_OPCODE.pong, input.payload));
      }
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.#closeWebSocket(error.closeCode);
    }
  }

  #closeWebSocket(code: number): void {
    this.#writer.send(webSocketFrame(WEB_SOCKET_OPCODE.close, Uint8Array.of(code >> 8, code & 0xff)));
    this.#finish();
  }

  /** Closes when all is out. */
  #finish(): void {
    this.#linger();
    inBackground(this.#writer.drained().then(() => this.cut()), "closing an HTTP connection");
  }

  #linger(): void {
    this.#state = "ending";
    if (this.#source !== undefined) this.#writer.removeSource(this.#source);
    const play = this.#play;
    this.#play = undefined;
    play?.close();
    this.#lingerTimer = this.#context.clock.setTimer(() => this.cut(), LINGER_MS);
    this.#readOn();
  }
}
