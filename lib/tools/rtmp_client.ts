import { inBackground } from "../base/background.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { parseStreamAddress } from "../base/stream_address.ts";
import { type ByteDuplex, type DialAddress, dialTcp } from "../net/tcp.ts";
import { type ClientEvent, ClientSession, type ClientSessionOptions } from "../session/client_session.ts";
import type { MediaMessage } from "../session/message_input.ts";
import { encodeChunks } from "../wire/chunk_writer.ts";
import { DEFAULT_WIRE_LIMITS } from "../wire/limits.ts";
import { CHUNK_STREAM, MESSAGE_TYPE } from "../wire/message_type.ts";

const CHUNK_SIZE = 65_536;
const READ_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;
/** Into which everybody reads who looks at nothing. */
const UNSEEN = new Uint8Array(256 * 1024);

/** How a client speaks, and who looks at what it is sent. */
export interface RtmpClientOptions extends Partial<Pick<ClientSessionOptions, "argumentsObject" | "capsEx">> {
  /** Takes each audio, video and data message; its payload is valid during the call. */
  readonly onMedia?: (message: MediaMessage) => void;
  /** Asked before each read: what to wait for first. */
  readonly pauseReading?: () => Promise<void> | undefined;
  /** Chunk size towards the server, in bytes; default 65,536. */
  readonly chunkSize?: number;
  /** Of one read, in bytes; default 64 KiB. */
  readonly readBytes?: number;
  /** How long the server may take for each answer, in milliseconds; default 10 s. */
  readonly timeoutMs?: number;
  readonly dial?: (address: DialAddress, timeoutMs: number) => Promise<ByteDuplex>;
  readonly clock?: Clock;
}

/** What a server said of a stream. */
export interface RtmpStatus {
  readonly code: string;
  readonly description: string;
}

/** One connection to an RTMP server that publishes or plays one stream. Reads until it is closed, or told to stop. */
export class RtmpClient {
  /** What the server said, in order; media is not kept. */
  readonly events: ClientEvent[] = [];
  /** What it said of the stream, in order. */
  readonly statuses: RtmpStatus[] = [];
  /** Resolves when the connection has ended, from whichever side. */
  readonly ended: Promise<void>;
  /** The connection has ended. */
  isEnded = false;
  receivedBytes = 0;
  /** Reads that brought bytes. */
  reads = 0;
  /** When the connection was begun, by the clock. */
  readonly begunMs: number;
  readonly #options: RtmpClientOptions;
  readonly #clock: Clock;
  readonly #duplex: ByteDuplex;
  readonly #session: ClientSession;
  readonly #chunkSize: number;
  #startedCode = "";
  #endedBy = "";
  #isLookedAt = true;
  #resume: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #waiting: (() => void)[] = [];

  private constructor(url: string, duplex: ByteDuplex, begunMs: number, options: RtmpClientOptions) {
    const { chunkSize = CHUNK_SIZE, clock = SYSTEM_CLOCK, argumentsObject, capsEx } = options;
    this.#options = options;
    this.#clock = clock;
    this.#duplex = duplex;
    this.#chunkSize = chunkSize;
    this.begunMs = begunMs;
    const session = {
      purpose: "connect",
      tcUrl: url,
      app: parseStreamAddress(url, "").app,
      streamName: "",
      pageUrl: "",
      swfUrl: "",
      argumentsObject,
      chunkSize,
      limits: DEFAULT_WIRE_LIMITS,
      randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
      ...(capsEx === undefined ? {} : { capsEx }),
    } as const;
    this.#session = new ClientSession(session, Math.floor(begunMs / 1000));
    this.ended = this.#run();
  }

  /**
   * Connects to the app of `url`, such as `rtmp://127.0.0.1/live`, up to the answer of `connect`.
   *
   * @throws {Error} When the server can't be reached or refuses.
   */
  static async connect(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    const { dial = dialTcp, clock = SYSTEM_CLOCK, timeoutMs = TIMEOUT_MS } = options;
    const begunMs = clock.now();
    const { host, port, scheme } = parseStreamAddress(url, "");
    const address = { hostname: host, port, ...(scheme === "rtmps" ? { isSecure: true } : {}) };
    const client = new RtmpClient(url, await dial(address, timeoutMs), begunMs, options);
    try {
      await client.#answer("connected", "connect");
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The message stream that the server created for what is published or played. */
  get messageStreamId(): number {
    return this.#session.messageStreamId;
  }

  /**
   * Plays a stream; resolves when the server has said that it starts.
   *
   * @throws {Error} With the server's words when it refuses.
   */
  async play(stream: string): Promise<void> {
    await this.#open("play", stream, "NetStream.Play.Start");
  }

  /**
   * Publishes a stream; resolves when the server has accepted it.
   *
   * @throws {Error} With the server's words when it refuses.
   */
  async publish(stream: string): Promise<void> {
    await this.#open("publish", stream, "NetStream.Publish.Start");
  }

  /** Sends an audio, video or data message of the stream that is published. */
  send(typeId: number, timestamp: number, payload: Uint8Array): Promise<void> {
    const chunkStreamId = typeId === MESSAGE_TYPE.video ? CHUNK_STREAM.video : CHUNK_STREAM.audio;
    const message = { typeId, timestamp, messageStreamId: this.messageStreamId, chunkStreamId };
    return this.write(encodeChunks(message, payload, this.#chunkSize));
  }

  /** Sends finished chunks, one write after the other. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      for (let done = 0; done < bytes.length;) done += await this.#duplex.write(bytes.subarray(done));
    });
    return this.#writing;
  }

  /** Looks no longer at what comes: it is counted, acknowledged and thrown away. For load, which is to cost little. */
  lookAway(): void {
    this.#isLookedAt = false;
  }

  /** Leaves what comes in the socket, as a stopped process does, from the read under way on. */
  stopReading(): void {
    this.#stopped ??= new Promise((resolve) => this.#resume = resolve);
  }

  continueReading(): void {
    this.#resume?.();
    this.#stopped = undefined;
  }

  /**
   * Resolves to what `look` gives as soon as that is neither false nor undefined; it is asked again after each read.
   *
   * @throws {Error} Naming `what`, when that takes too long.
   */
  async until<T>(
    look: () => T | undefined | false,
    what: string | (() => string),
    timeoutMs: number = this.#options.timeoutMs ?? TIMEOUT_MS,
  ): Promise<T> {
    let isLate = false;
    const timer = this.#clock.setTimer(() => {
      isLate = true;
      this.#notify();
    }, timeoutMs);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined && found !== false) return found;
        if (isLate) {
          const name = typeof what === "string" ? what : what();
          throw new Error(`Waited ${timeoutMs} ms in vain for ${name}`);
        }
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      this.#clock.clearTimer(timer);
    }
  }

  /** Leaves without a word. */
  async close(): Promise<void> {
    this.continueReading();
    this.#duplex.close();
    await this.ended;
    await this.#writing.catch(() => {});
  }

  async #open(purpose: "play" | "publish", stream: string, startedCode: string): Promise<void> {
    this.#startedCode = startedCode;
    this.#session.open(purpose, stream);
    this.#flushOutput();
    await this.#answer("started", `${purpose} ${stream}`);
  }

  async #answer(kind: "connected" | "started", what: string): Promise<void> {
    const known = this.events.length;
    await this.until(() => {
      const answer = this.events.slice(kind === "started" ? known : 0)
        .find((event) =>
          event.kind === kind || event.kind === "refused" || event.kind === "redirect" && event.isUrgent
        );
      if (answer?.kind === "refused") {
        throw new Error(`Cannot ${what}: ${answer.code}: ${answer.description}`);
      }
      if (answer?.kind === "redirect") {
        throw new Error(`Cannot ${what}: it is at ${answer.url}`);
      }
      if (answer === undefined && this.isEnded) {
        throw new Error(`Cannot ${what}: the server has closed the connection${this.#endedBy}`);
      }
      return answer !== undefined;
    }, what);
  }

  async #run(): Promise<void> {
    this.#flushOutput();
    const own = new Uint8Array(this.#options.readBytes ?? READ_BYTES);
    try {
      for (;;) {
        if (this.#stopped !== undefined) await this.#stopped;
        await this.#options.pauseReading?.();
        const buffer = this.#isLookedAt ? own : UNSEEN;
        const count = await this.#duplex.read(buffer);
        if (count === null) break;
        this.receivedBytes += count;
        this.reads++;
        if (buffer === own) this.#receive(own.subarray(0, count));
        else this.#session.skip(count);
        this.#flushOutput();
      }
    } catch (error) {
      // Cut off, by the server or by `close`; or the server sent what can't be read.
      this.#endedBy = `: ${errorText(error)}`;
    }
    this.isEnded = true;
    this.#notify();
  }

  #receive(bytes: Uint8Array): void {
    this.#session.receive(bytes);
    for (let event = this.#session.nextEvent(); event !== undefined; event = this.#session.nextEvent()) {
      if (event.kind === "media") this.#options.onMedia?.(event);
      else this.#note(event);
    }
    this.#notify();
  }

  #note(event: ClientEvent): void {
    this.events.push(event);
    if (event.kind === "started") this.statuses.push({ code: this.#startedCode, description: "" });
    else if (event.kind === "refused") this.statuses.push(event);
    else if (event.kind === "ended") this.statuses.push({ code: event.code, description: "" });
  }

  #notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #flushOutput(): void {
    const output = this.#session.takeOutput();
    // A write fails when the connection has ended, which the next read says.
    if (output !== undefined) inBackground(this.write(output).catch(() => {}), "a client's write");
  }
}
