import { RtmpError } from "../base/errors.ts";
import { isMetadata } from "../wire/data_message.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "../wire/limits.ts";
import { type MediaTagInfo, readAudioTag, readVideoTag } from "../wire/media_tag.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";
import { rewriteMetadata } from "../wire/metadata.ts";
import { HeaderCache } from "./header_cache.ts";
import {
  FLV_FORMAT,
  FORWARD_CHUNK_SIZE,
  type OutputFormat,
  type OutputName,
  rtmpFormat,
  type StreamMessage,
  WEB_SOCKET_FLV_FORMAT,
} from "./output_format.ts";
import { OutputLog } from "./output_log.ts";
import type { PlayerCursor, PlayerOptions } from "./player_cursor.ts";
import { StreamClock } from "./stream_clock.ts";
import type { FeedInfo, LeftOut, StreamFeed } from "./stream_feed.ts";
import type { StreamTap } from "./stream_tap.ts";

/** With no video for this many audio messages the stream counts as audio only, as in SRS. */
const AUDIO_ONLY_MESSAGES = 115;

/** How much of a frame is kept to name its codec and size. */
const FRAME_START_BYTES = 64;

const OTHER_FORMATS: Readonly<Record<Exclude<OutputName, "rtmp">, OutputFormat>> = {
  "rtmp-forward": rtmpFormat(FORWARD_CHUNK_SIZE, "rtmp-forward"),
  "flv": FLV_FORMAT,
  "flv-web-socket": WEB_SOCKET_FLV_FORMAT,
};

export interface LiveStreamOptions {
  /** Chunk size of the serialised RTMP bytes. */
  readonly chunkSize: number;
  readonly gopCache: boolean;
  readonly gopCacheMaxFrames: number;
  readonly gopCacheMaxBytes: number;
  /** How far a player may fall behind, in milliseconds of media. */
  readonly queueLengthMs: number;
  /** How long bytes may be gathered before players are written to, in milliseconds; "auto": measured. */
  readonly gatherMs: number | "auto";
  /** Give a new player the metadata. */
  readonly metadata: boolean;
  /** Give a new player the codec headers. */
  readonly sequenceHeaders: boolean;
  /** What `server` in the metadata says. */
  readonly server: string;
  readonly limits?: WireLimits;
}

/** Called when a stream has new bytes in an output, once per message. */
export type OnOutput = (output: OutputLog, stream: LiveStream) => void;

/** A live stream of this process: fed by at most one feed, read by any number of players. */
export class LiveStream {
  readonly key: string;
  readonly options: LiveStreamOptions;
  readonly clock: StreamClock = new StreamClock();
  readonly rtmp: OutputLog;
  /** Called when the feed comes or goes. */
  readonly feedListeners: Set<(feed: FeedInfo | undefined) => void> = new Set();
  /**
   * Called with the type of audio or video when a feed brings the first of it, just before that is appended. What a player was
   * told of the stream may no longer hold then.
   */
  readonly kindListeners: Set<(typeId: number) => void> = new Set();
  /** Called when the feed's bytes should wait no longer: somebody plays the stream and nobody did before, it ends, or see `hurry`. */
  readonly wakeListeners: Set<() => void> = new Set();
  /** Segmenters and recorders; see `tap`. */
  readonly #taps = new Set<StreamTap>();
  /** Those who can't wait for what the feed has sent: see `hurry`. */
  hurried = 0;
  /** Audio and video messages since the stream was created. */
  frames = 0;
  videoFrames = 0;
  audioFrames = 0;
  /** Those that begin a group of pictures. */
  keyFrames = 0;
  /** Between the last two of them that the present feed brought, in milliseconds of media; undefined: there were not two. */
  keyFrameIntervalMs: number | undefined;
  #lastKeyFrameTime: number | undefined;
  receivedBytes = 0;
  /** When the present feed, or the last one, brought its first audio or video; undefined: not yet. Monotonic milliseconds. */
  mediaSinceMs: number | undefined;
  /** Those who look after the stream though it has neither feed nor player now: it stays in the hub for them. */
  keepers = 0;
  /** Those besides RTMP, built only while someone reads them. */
  readonly #otherOutputs = new Map<OutputName, OutputLog>();
  /** Given by outputs that are gone. */
  #closedSentBytes = 0;
  #feed: FeedInfo | undefined;
  #metadata: StreamMessage | undefined;
  readonly #headers = new HeaderCache();
  /** What new players get first, until it changes. */
  #inForce: readonly StreamMessage[] | undefined;
  /** What the present feed has been told of already. */
  readonly #leftOut = new Set<LeftOut>();
  readonly #frameStarts = new Map<number, Uint8Array>();
  #lowestVideoTrack = Infinity;
  #hasAudio = false;
  #hasVideo = false;
  #gopMessages = 0;
  #audioSinceVideo = 0;
  /** The newest key frame of a pull, by which one that broke is known again. */
  #pulledKeyframe: { readonly timestamp: number; readonly bytes: number } | undefined;
  readonly #onOutput: OnOutput;

  constructor(key: string, options: LiveStreamOptions, onOutput: OnOutput) {
    this.key = key;
    this.options = options;
    this.#onOutput = onOutput;
    this.rtmp = new OutputLog(rtmpFormat(options.chunkSize), options.queueLengthMs, this.#joinHeaders);
  }

  get feed(): FeedInfo | undefined {
    return this.#feed;
  }

  /** Players in all formats. */
  get playerCount(): number {
    let count = this.rtmp.cursors.size;
    for (const { cursors } of this.#otherOutputs.values()) count += cursors.size;
    return count;
  }

  /** Whether segmenters or recorders read the stream. */
  get isTapped(): boolean {
    return this.#taps.size > 0;
  }

  /** Bytes that players have been given, those included that have left. */
  get sentBytes(): number {
    let bytes = this.#closedSentBytes + this.rtmp.givenBytes;
    for (const { givenBytes } of this.#otherOutputs.values()) bytes += givenBytes;
    return bytes;
  }

  /** What tells the codecs: the headers in force, else the first frame, for codecs without headers. */
  codecMessage(typeId: number): Uint8Array | undefined {
    return this.#headers.configuration(typeId) ?? this.frameStart(typeId);
  }

  /** The start of the newest key frame, which tells the size of VP8 and VP9; of audio, of the first frame. */
  frameStart(typeId: number): Uint8Array | undefined {
    return this.#frameStarts.get(typeId);
  }

  /** The latest onMetaData, its AMF0 body. */
  get metadata(): Uint8Array | undefined {
    return this.#metadata?.payload;
  }

  /**
   * Gives the stream to a feed. Players stay; their time goes on.
   *
   * @throws {RtmpError} `stream-busy` while another feeds it.
   */
  attach(info: FeedInfo): StreamFeed {
    // An encoder that comes here is nearer than any upstream.
    if (this.#feed?.kind === "pull" && info.kind === "publish") {
      const pull = this.#feed;
      this.#detach(pull);
      pull.stop?.(new RtmpError("taken-over", `'${this.key}' is published here now`));
    }
    if (this.#feed !== undefined) {
      throw new RtmpError("stream-busy", `Cannot publish '${this.key}': ${this.#feed.id} is publishing it`);
    }
    this.#feed = info;
    this.clock.restart(info.kind);
    this.#metadata = this.#inForce = undefined;
    this.#headers.clear();
    this.#frameStarts.clear();
    this.#leftOut.clear();
    this.#lowestVideoTrack = Infinity;
    this.#hasAudio = this.#hasVideo = false;
    this.mediaSinceMs = undefined;
    this.keyFrameIntervalMs = this.#lastKeyFrameTime = undefined;
    if (info.kind !== "pull") this.#pulledKeyframe = undefined;
    this.#dropGop();
    this.#noteFeed(info);
    return {
      write: (message, nowMs) => this.#receive(message, nowMs),
      leaveOut: (what, error) => this.#leaveOut(what, error),
      close: () => this.#detach(info),
    };
  }

  /** A new player. */
  subscribe(name: OutputName, options: PlayerOptions): PlayerCursor {
    const fromGop = options.fromGop && this.options.gopCache;
    const isFirst = this.playerCount === 0;
    const cursor = this.#output(name).subscribe({ ...options, fromGop });
    if (isFirst) this.#wakeFeed();
    return cursor;
  }

  /** Ends a player's reading. */
  unsubscribe(cursor: PlayerCursor): void {
    cursor.close();
    for (const [name, { cursors, givenBytes }] of this.#otherOutputs) {
      if (cursors.size > 0) continue;
      this.#closedSentBytes += givenBytes;
      this.#otherOutputs.delete(name);
    }
  }

  /** Reads messages from now on; what is returned ends that. `headersInForce` says what came before. */
  tap(tap: StreamTap): () => void {
    this.#taps.add(tap);
    return () => this.#taps.delete(tap);
  }

  /** Metadata, audio headers and video headers as they are now, each as if it had just come. */
  headersInForce(): readonly StreamMessage[] {
    return this.#headersFor("rtmp-forward");
  }

  /** Has all that the feed has sent read at once, until `hurried` is counted down again. */
  hurry(): void {
    this.hurried++;
    this.#wakeFeed();
  }

  #wakeFeed(): void {
    for (const listener of [...this.wakeListeners]) listener();
  }

  #detach(info: FeedInfo): void {
    if (this.#feed !== info) return;
    this.#wakeFeed();
    this.#feed = undefined;
    // What is cached is a past that a player who joins now should not be shown as live.
    this.#dropGop();
    this.#noteFeed(undefined);
  }

  #noteFeed(info: FeedInfo | undefined): void {
    for (const listener of [...this.feedListeners]) listener(info);
    for (const tap of [...this.#taps]) tap.feed(info);
  }

  #receive(message: StreamMessage, nowMs: number): void {
    this.receivedBytes += message.payload.length;
    if (message.typeId === MESSAGE_TYPE.data) this.#receiveData(message);
    else this.#receiveMedia(message, nowMs);
  }

  #receiveData(message: StreamMessage): void {
    if (!isMetadata(message.payload)) {
      this.#append({ ...message, timestamp: (this.clock.last ?? 0) >>> 0 }, message.timestamp);
      return;
    }
    const { server, limits = DEFAULT_WIRE_LIMITS } = this.options;
    let payload: Uint8Array | undefined;
    try {
      payload = rewriteMetadata(message.payload, server, limits);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#leaveOut("metadata", error);
    }
    if (payload === undefined) return;
    // Always at time 0, as SRS sends it: FFmpeg takes metadata at any other time for a subtitle stream.
    this.#metadata = { typeId: MESSAGE_TYPE.data, timestamp: 0, payload };
    this.#inForce = undefined;
    this.#appendHeader(this.#metadata, message.timestamp);
  }

  #leaveOut(what: LeftOut, error: RtmpError): void {
    if (this.#leftOut.has(what)) return;
    this.#leftOut.add(what);
    this.#feed?.onLeftOut?.(what, error);
  }

  #receiveMedia(message: StreamMessage, nowMs: number): void {
    this.mediaSinceMs ??= nowMs;
    const isVideo = message.typeId === MESSAGE_TYPE.video;
    const info = isVideo ? readVideoTag(message.payload) : readAudioTag(message.payload);
    if (!(isVideo ? this.#hasVideo : this.#hasAudio) && (info.isFrame || info.isSequenceHeader)) {
      this.#noteKind(isVideo);
    }
    const { typeId, timestamp, payload } = message;
    if (!info.isFrame) {
      const time = this.clock.headerTime(typeId, timestamp, nowMs);
      const stamped = { typeId, timestamp: time >>> 0, payload };
      this.#noteHeader(info, stamped);
      this.#appendHeader(stamped, timestamp, info);
      return;
    }
    // With several tracks a group begins at a key frame of the first one.
    const beginsGop = info.isKeyframe && info.trackId <= this.#lowestVideoTrack;
    const isKnown = beginsGop && this.#isKnownKeyframe(message);
    const time = this.clock.correct(typeId, timestamp, nowMs, isKnown);
    if (time === undefined) {
      // The same stream, pulled again, begins with the group that is here already.
      if (isKnown) { for (const output of this.#outputs()) output.resumeGop(); }
      return;
    }
    const stamped = { typeId, timestamp: time >>> 0, payload };
    this.#noteFrame(info, isVideo, stamped);
    this.#append(stamped, timestamp, info);
  }

  /** Whether a pull has brought this key frame before; remembers it. */
  #isKnownKeyframe({ timestamp, payload }: StreamMessage): boolean {
    if (this.#feed?.kind !== "pull") return false;
    const known = this.#pulledKeyframe;
    this.#pulledKeyframe = { timestamp, bytes: payload.length };
    return known?.timestamp === timestamp && known.bytes === payload.length;
  }

  /** Remembers which kinds the feed brings. */
  #noteKind(isVideo: boolean): void {
    if (isVideo) this.#hasVideo = true;
    else this.#hasAudio = true;
    const typeId = isVideo ? MESSAGE_TYPE.video : MESSAGE_TYPE.audio;
    for (const listener of [...this.kindListeners]) listener(typeId);
  }

  #noteHeader(info: MediaTagInfo, message: StreamMessage): void {
    if (!info.isSequenceEnd && info.headerKind === undefined) return;
    this.#inForce = undefined;
    if (info.isSequenceEnd) return this.#headers.end(info);
    try {
      this.#headers.set(info, message);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#leaveOut("codec header", error);
    }
  }

  #noteFrame(info: MediaTagInfo, isVideo: boolean, message: StreamMessage): void {
    this.frames++;
    if (
      (info.isKeyframe && info.trackId <= this.#lowestVideoTrack) || !this.#frameStarts.has(message.typeId)
    ) {
      this.#frameStarts.set(message.typeId, message.payload.slice(0, FRAME_START_BYTES));
    }
    if (isVideo) {
      this.videoFrames++;
      this.#audioSinceVideo = 0;
      if (!this.rtmp.hasVideo) { for (const output of this.#outputs()) output.hasVideo = true; }
      // With several tracks a group begins at a key frame of the first one.
      this.#lowestVideoTrack = Math.min(this.#lowestVideoTrack, info.trackId);
      if (info.isKeyframe && info.trackId === this.#lowestVideoTrack) this.#beginGop(message.timestamp);
    } else {
      this.audioFrames++;
      if (++this.#audioSinceVideo === AUDIO_ONLY_MESSAGES) {
        this.#dropGop();
        for (const output of this.#outputs()) output.hasVideo = false;
      }
    }
  }

  #beginGop(timestamp: number): void {
    this.#gopMessages = 0;
    this.keyFrames++;
    if (this.#lastKeyFrameTime !== undefined) {
      this.keyFrameIntervalMs = (timestamp - this.#lastKeyFrameTime) >>> 0;
    }
    this.#lastKeyFrameTime = timestamp;
    for (const output of this.#outputs()) output.beginGop(timestamp, this.#headersFor(output.format.name));
  }

  #dropGop(): void {
    for (const output of this.#outputs()) output.dropGop();
  }

  #appendHeader(message: StreamMessage, feedTimestamp: number, info?: MediaTagInfo): void {
    for (const output of this.#outputs()) output.noteHeader();
    this.#append(message, feedTimestamp, info);
  }

  /** Whatever is appended counts in the group that is kept: a feed may send nothing but data. */
  #limitGop(bytes: number): void {
    const { gopOffset, log } = this.rtmp;
    if (gopOffset === undefined) return;
    this.#gopMessages++;
    const { gopCacheMaxFrames, gopCacheMaxBytes } = this.options;
    const isTooMany = gopCacheMaxFrames > 0 && this.#gopMessages > gopCacheMaxFrames;
    if (isTooMany || log.end - gopOffset + bytes > gopCacheMaxBytes) this.#dropGop();
  }

  #append(message: StreamMessage, feedTimestamp: number, info?: MediaTagInfo): void {
    this.#limitGop(message.payload.length);
    this.rtmp.append(message);
    this.#onOutput(this.rtmp, this);
    for (const output of this.#otherOutputs.values()) {
      output.append(message);
      this.#onOutput(output, this);
    }
    if (this.#taps.size === 0) return;
    const tapped = { ...message, feedTimestamp, info };
    for (const tap of this.#taps) tap.message(tapped);
  }

  /** What a player needs who begins with the next message. */
  readonly #joinHeaders = (): { headers: readonly StreamMessage[]; timestamp: number } => ({
    headers: this.#currentHeaders(),
    timestamp: (this.clock.last ?? 0) >>> 0,
  });

  /** What another server needs: whatever players are given, it gets all. */
  readonly #forwardHeaders = (): { headers: readonly StreamMessage[]; timestamp: number } => ({
    headers: this.#headersFor("rtmp-forward"),
    timestamp: (this.clock.last ?? 0) >>> 0,
  });

  #headersFor(name: OutputName): readonly StreamMessage[] {
    if (name !== "rtmp-forward" || (this.options.metadata && this.options.sequenceHeaders)) {
      return this.#currentHeaders();
    }
    return [...(this.#metadata === undefined ? [] : [this.#metadata]), ...this.#headers.messages()];
  }

  /** Metadata, audio headers, video headers: the order in which SRS sends them. */
  #currentHeaders(): readonly StreamMessage[] {
    return this.#inForce ??= [
      ...(this.options.metadata && this.#metadata !== undefined ? [this.#metadata] : []),
      ...(this.options.sequenceHeaders ? this.#headers.messages() : []),
    ];
  }

  #outputs(): OutputLog[] {
    return [this.rtmp, ...this.#otherOutputs.values()];
  }

  /** The log of an output; a new one holds the group of pictures that the RTMP log holds. */
  #output(name: OutputName): OutputLog {
    if (name === "rtmp") return this.rtmp;
    let output = this.#otherOutputs.get(name);
    if (output === undefined) {
      output = new OutputLog(
        OTHER_FORMATS[name],
        this.options.queueLengthMs,
        name === "rtmp-forward" ? this.#forwardHeaders : this.#joinHeaders,
      );
      output.hasVideo = this.rtmp.hasVideo;
      // What is forwarded begins with the next key frame.
      if (name !== "rtmp-forward") this.rtmp.copyGop(output);
      this.#otherOutputs.set(name, output);
    }
    return output;
  }
}
