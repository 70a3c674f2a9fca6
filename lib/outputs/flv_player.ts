import { RtmpError } from "../base/errors.ts";
import { RateMeter } from "../base/rate_meter.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { Timer } from "../base/clock.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { MessageFilter } from "../hub/message_filter.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import type { MediaClient } from "../net/media_request.ts";
import type { MediaPlay, MediaSink } from "../net/media_sink.ts";
import { flvHeader } from "../wire/flv.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";
import type { AccessClient, AccessProtocol } from "../access/access_request.ts";
import type { Activity } from "../server/client_events.ts";
import { joinSource } from "../server/join_times.ts";
import type { RegisteredClient } from "../server/client_registry.ts";
import type { ServerRuntime } from "../server/server_runtime.ts";
import type { LocalPlay } from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

/** A stream that has shown only audio or only video for so long has nothing else, in milliseconds. */
const GUESS_MS = 1000;

/** One player of FLV tags, from its admission to its closing log line. Holds no media: it has a place in the stream, as RTMP's. */
export class FlvPlayer implements RegisteredClient, MediaPlay {
  readonly id: string;
  readonly type = "flv-play";
  readonly isActive = true;
  readonly isPublishing = false;
  readonly isNode = false;
  readonly connectedAtMs: number;
  readonly sendRate: RateMeter = new RateMeter();
  readonly receiveRate: RateMeter = new RateMeter();
  readonly swfUrl = "";
  readonly receiveBytes = 0;
  readonly vhost: VhostSettings;
  /** Which of the streams that its client may mean it plays is known when it is let in. */
  address: StreamAddress;
  readonly #runtime: ServerRuntime;
  readonly #client: MediaClient;
  readonly #abort = new AbortController();
  readonly #begunMs: number;
  #stream: LiveStream | undefined;
  #cursor: PlayerCursor | undefined;
  #hasAudio = true;
  #hasVideo = true;
  #guessTimer: Timer | undefined;
  #waitTimer: Timer | undefined;
  #ready: { resolve: () => void; reject: (reason: RtmpError) => void } | undefined;
  #isStarted = false;
  #startedMs = 0;
  #isClosed = false;
  #closeReason: RtmpError | undefined;
  #sink: MediaSink | undefined;
  /** What the connection had sent before this play. */
  #sentBefore = 0;
  #waitMs = 0;
  /** Somebody fed the stream when this player was let in. */
  #wasFed = false;
  #lastFedMs: number;
  #onClosed: (() => void)[] = [];

  constructor(runtime: ServerRuntime, vhost: VhostSettings, address: StreamAddress, client: MediaClient) {
    this.#runtime = runtime;
    this.vhost = vhost;
    this.address = address;
    this.#client = client;
    this.id = runtime.newId();
    this.connectedAtMs = runtime.options.clock.wallNow();
    this.#begunMs = this.#lastFedMs = runtime.now();
    runtime.events.opened(this);
  }

  get protocol(): AccessProtocol {
    return this.#client.transport === "websocket" ? "ws-flv" : "http-flv";
  }
  get ip(): string {
    return this.#client.ip;
  }
  get logProperties(): Record<string, unknown> {
    return {
      connectionId: this.id,
      peer: this.#client.ip,
      stream: this.#stream?.key ?? `/${this.address.app}/${this.address.stream}`,
    };
  }
  get isClosing(): boolean {
    return this.#isClosed;
  }
  get stream(): LiveStream | undefined {
    return this.#stream;
  }
  get tcUrl(): string {
    return `${this.address.scheme}://${this.address.host}/${this.address.app}`;
  }
  get pageUrl(): string {
    return this.#client.pageUrl;
  }
  get sendBytes(): number {
    return (this.#sink?.sentBytes ?? 0) - this.#sentBefore;
  }
  get jumps(): number {
    return this.#cursor?.jumps ?? 0;
  }
  /** Aborts when the player leaves or is thrown out. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What access control is told of the player. */
  accessClient(authorization: string | undefined): AccessClient {
    return {
      protocol: this.protocol,
      clientId: this.id,
      tcUrl: this.tcUrl,
      pageUrl: this.pageUrl,
      authorization,
    };
  }

  /** Calls back when this player is gone; at once when it is. */
  onClosed(callback: () => void): void {
    if (this.#isClosed) callback();
    else this.#onClosed.push(callback);
  }

  /**
   * Resolves when there is something to play and its header is known.
   *
   * @throws {RtmpError} `stream-not-found` when nothing comes in the configured time; else why the player was closed.
   */
  async join({ stream, waitMs = 0, release }: LocalPlay): Promise<void> {
    this.onClosed(release);
    if (this.#isClosed) throw this.#closeReason ?? gone();
    this.#stream = stream;
    this.#wasFed = stream.feed !== undefined;
    this.#waitMs = waitMs;
    stream.feedListeners.add(this.#onFeed);
    stream.kindListeners.add(this.#onKind);
    this.#subscribe();
    if (this.#isStarted) return;
    // A stream that is there gets the time to show itself.
    const limitMs = Math.max(this.vhost.flv.waitMs, stream.feed === undefined ? 0 : 2 * GUESS_MS);
    await new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
      this.#waitTimer = this.#runtime.options.clock.setTimer(() => {
        this.close(
          new RtmpError("stream-not-found", `Cannot play '${stream.key}': no media for ${limitMs} ms`),
        );
      }, limitMs);
    });
  }

  /** Begins to send, after `join`. */
  open(sink: MediaSink): void {
    this.#sink = sink;
    this.#sentBefore = sink.sentBytes;
    if (this.#isClosed) return sink.end();
    if (!this.vhost.noDelay) sink.setNoDelay(false);
    sink.send(flvHeader(this.#hasAudio, this.#hasVideo));
    if (this.#cursor !== undefined) sink.addSource(this.#cursor);
    sink.flush();
  }

  markBehind(): void {
    const cursor = this.#cursor;
    if (this.#stream === undefined || cursor?.isBehind !== true) return;
    this.#runtime.streams.scheduler(this.#stream.options.gatherMs).markDirty(cursor.output);
  }

  /** Ends the play; without a reason the player has left by itself. */
  close(reason?: RtmpError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeReason = reason;
    this.#clearTimers();
    const stream = this.#stream;
    if (stream !== undefined) {
      stream.feedListeners.delete(this.#onFeed);
      stream.kindListeners.delete(this.#onKind);
      if (this.#cursor !== undefined) stream.unsubscribe(this.#cursor);
    }
    const { events } = this.#runtime;
    if (this.#isStarted && stream !== undefined) events.stopped(this, this.#activity(stream));
    const durationMs = this.#runtime.now() - this.#begunMs;
    events.closed(this, { hasAsked: true, reason, durationMs });
    this.#abort.abort();
    this.#ready?.reject(reason ?? gone());
    if (reason !== undefined) this.#endSink(reason);
    for (const callback of this.#onClosed) callback();
    this.#onClosed = [];
  }

  kick(): void {
    this.close(new RtmpError("kicked", "Closed through the HTTP API"));
  }

  /** There is no word for it in HTTP once an answer has begun. */
  move(): boolean {
    return false;
  }

  shutDown(): void {
    this.close(new RtmpError("shutting-down", "The server is stopping"));
  }

  tick(nowMs: number): void {
    const stream = this.#stream;
    if (!this.#isStarted || stream === undefined) return;
    const { sendTimeoutMs } = this.#runtime.options.limits();
    const writingSinceMs = this.#sink?.writingSinceMs;
    if (writingSinceMs !== undefined && nowMs - writingSinceMs > sendTimeoutMs) {
      this.close(
        new RtmpError("send-timeout", `Cannot write: the peer accepted no data for ${sendTimeoutMs} ms`),
      );
      return;
    }
    if (stream.feed !== undefined) this.#lastFedMs = nowMs;
    if (this.#waitMs === 0 || nowMs - this.#lastFedMs <= this.#waitMs) return;
    this.close(
      new RtmpError(
        "stream-not-found",
        `Cannot play '${stream.key}': not published within ${this.#waitMs} ms`,
      ),
    );
  }

  readonly #onFeed = (): void => this.#subscribe();

  readonly #onKind = (typeId: number): void => {
    if (!this.#isStarted || this.#isAnnounced(typeId)) return;
    if (!this.vhost.flv.guessHasAv) {
      this.#leaveOutUnannounced();
    } else if (this.#client.isPage) {
      const kind = typeId === MESSAGE_TYPE.audio ? "audio" : "video";
      this.close(
        new RtmpError("media-changed", `The stream now has ${kind}, which the FLV header did not declare`),
      );
    }
  };

  /** Takes a place in the stream as soon as somebody feeds it: what is cached of an earlier feed is of no use. */
  #subscribe(): void {
    const stream = this.#stream;
    if (stream?.feed === undefined || this.#cursor !== undefined) return;
    const output = this.#client.transport === "websocket" ? "flv-web-socket" : "flv";
    this.#cursor = stream.subscribe(output, {
      fromGop: true,
      onReady: () => this.#look(),
      onFirstMedia: () => this.#countJoin(stream),
    });
    this.#look();
  }

  #countJoin(stream: LiveStream): void {
    const { joins } = this.#runtime;
    joins.observe(joinSource(stream, this.#wasFed), (this.#runtime.now() - this.#begunMs) / 1000);
  }

  #look(): void {
    if (this.#isStarted) this.#sink?.flush();
    else if (this.#cursor?.isBehind === true) this.#tryStart();
  }

  #tryStart(): void {
    const stream = this.#stream as LiveStream;
    const { clock } = this.#runtime.options;
    const { flv } = this.vhost;
    if (flv.guessHasAv) {
      this.#hasAudio = stream.codecMessage(MESSAGE_TYPE.audio) !== undefined;
      this.#hasVideo = stream.codecMessage(MESSAGE_TYPE.video) !== undefined;
      if (!this.#hasAudio && !this.#hasVideo) return;
      const knownForMs = this.#runtime.now() - (stream.mediaSinceMs ?? this.#runtime.now());
      if (!(this.#hasAudio && this.#hasVideo) && knownForMs < GUESS_MS) {
        this.#guessTimer ??= clock.setTimer(() => {
          this.#guessTimer = undefined;
          this.#tryStart();
        }, GUESS_MS - knownForMs);
        return;
      }
    } else {
      this.#hasAudio = flv.hasAudio;
      this.#hasVideo = flv.hasVideo;
    }
    const isStray = [MESSAGE_TYPE.audio, MESSAGE_TYPE.video].some((typeId) =>
      !this.#isAnnounced(typeId) && stream.codecMessage(typeId) !== undefined
    );
    if (isStray) this.#leaveOutUnannounced();
    this.#isStarted = true;
    this.#clearTimers();
    this.#startedMs = this.#runtime.now();
    this.#runtime.events.began(this, this.#activity(stream));
    this.#ready?.resolve();
  }

  #isAnnounced(typeId: number): boolean {
    return typeId === MESSAGE_TYPE.audio ? this.#hasAudio : this.#hasVideo;
  }

  /** Only where there is something to leave out, since that costs a copy for each player. */
  #leaveOutUnannounced(): void {
    if (this.vhost.flv.dropIfNotMatch) this.#cursor?.setFilter(announcedOnly(this.#hasAudio, this.#hasVideo));
  }

  #activity(stream: LiveStream): Activity {
    return { kind: "play", stream, startedMs: this.#startedMs, jumps: this.jumps };
  }

  /** Who takes nothing is not waited for. */
  #endSink({ code }: RtmpError): void {
    const sink = this.#sink;
    const isStuck = code === "send-timeout" || (code === "kicked" && sink?.writingSinceMs !== undefined);
    if (isStuck) sink?.cut();
    else sink?.end(code === "shutting-down" ? "going-away" : undefined);
  }

  #clearTimers(): void {
    const { clock } = this.#runtime.options;
    if (this.#guessTimer !== undefined) clock.clearTimer(this.#guessTimer);
    if (this.#waitTimer !== undefined) clock.clearTimer(this.#waitTimer);
    this.#guessTimer = this.#waitTimer = undefined;
  }
}

function gone(): RtmpError {
  return new RtmpError("connection-lost", "The player left before playback started");
}

function announcedOnly(hasAudio: boolean, hasVideo: boolean): MessageFilter {
  return {
    accept: ({ typeId }) =>
      (typeId !== MESSAGE_TYPE.audio || hasAudio) && (typeId !== MESSAGE_TYPE.video || hasVideo),
  };
}
