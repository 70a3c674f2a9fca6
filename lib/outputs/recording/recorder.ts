import { getLogger } from "@logtape/logtape";
import { inBackground } from "../../base/background.ts";
import type { Clock } from "../../base/clock.ts";
import type { LiveStream } from "../../hub/live_stream.ts";
import type { FeedInfo } from "../../hub/stream_feed.ts";
import type { StreamTap, TappedMessage } from "../../hub/stream_tap.ts";
import type { StreamRequest } from "../../server/stream_router.ts";
import { isMetadata } from "../../wire/data_message.ts";
import { type MediaTagInfo, readAudioTag, readVideoTag } from "../../wire/media_tag.ts";
import { MESSAGE_TYPE } from "../../wire/message_type.ts";
import { FlvRecording, wholeFlvBytes } from "./flv_recording.ts";
import { Mp4Recording, wholeMp4Bytes } from "./mp4_recording.ts";
import type { FileMessage, RecordingContainer } from "./recording_container.ts";
import type { RecordingDisk, RecordingError } from "./recording_disk.ts";
import { RecordingFile } from "./recording_file.ts";
import { recordingPath } from "./recording_path.ts";
import type { RecordingSettings } from "./recording_settings.ts";

const log = getLogger(["headwater", "recording"]);

/** With no video for this many audio messages a stream counts as audio only, as in SRS. */
const AUDIO_ONLY_MESSAGES = 115;
/** How long a disk that failed is left alone, in milliseconds: at first, and at most. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;

/** `paused`: the disk failed; it is tried again. */
export type RecordingState = "waiting" | "recording" | "paused" | "ended";

export interface RecorderOptions {
  readonly id: string;
  readonly request: StreamRequest;
  readonly stream: LiveStream;
  /** Read for each file. */
  readonly settings: () => RecordingSettings;
  /** Asked for by the API, not by the configuration. */
  readonly isAsked: boolean;
  readonly disk: RecordingDisk;
  readonly clock: Clock;
  readonly holdDescriptor: () => () => void;
  readonly onFailure: (error: RecordingError) => void;
  /** A file is closed, whole, with so many bytes. */
  readonly onFile: (path: string) => void;
  readonly onBytes: (bytes: number) => void;
}

/** A file that is being recorded, and what it holds. */
interface OpenFile {
  readonly file: RecordingFile;
  readonly container: RecordingContainer;
  /** The stream's time of its first frame, in milliseconds, 32 bits. */
  readonly startMs: number;
  /** What is taken from the stream's time. */
  readonly offsetMs: number;
  readonly plan: RecordingSettings;
  /** Headers that are in it, by key. */
  readonly configurations: Map<string, Uint8Array>;
  /** Codecs by media and track. */
  readonly codecs: { readonly audio: Map<number, string>; readonly video: Map<number, string> };
  hasAudio: boolean;
  hasVideo: boolean;
  lastMs: number;
}

/** Records one stream for as long as one publisher sends it, into one file after another. */
export class Recorder implements StreamTap {
  readonly id: string;
  readonly request: StreamRequest;
  readonly isAsked: boolean;
  readonly startedAtMs: number;
  /** Files that are closed and whole. */
  files = 0;
  failures = 0;
  lastError: string | undefined;
  readonly #options: RecorderOptions;
  readonly #closing = new Set<Promise<unknown>>();
  #untap: (() => void) | undefined;
  #open: OpenFile | undefined;
  #closedBytes = 0;
  #closedMs = 0;
  #lastPath: string | undefined;
  #hasVideo: boolean;
  #audioSinceVideo = 0;
  #lowestVideoTrack = Infinity;
  #pauseMs = 0;
  #resumesAtMs = -Infinity;

  constructor(options: RecorderOptions) {
    const { id, request, stream, isAsked, clock } = options;
    this.#options = options;
    this.id = id;
    this.request = request;
    this.isAsked = isAsked;
    this.startedAtMs = clock.wallNow();
    this.#hasVideo = stream.feed !== undefined && stream.codecMessage(MESSAGE_TYPE.video) !== undefined;
    this.#untap = stream.tap(this);
  }

  get state(): RecordingState {
    if (this.#untap === undefined) return "ended";
    if (this.#open !== undefined) return "recording";
    return this.#options.clock.now() < this.#resumesAtMs ? "paused" : "waiting";
  }

  /** The file that is being written, else the last one. */
  get path(): string | undefined {
    return this.#open?.file.path ?? this.#lastPath;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#closedBytes + (this.#open?.file.bytes ?? 0);
  }

  /** Of the file that is being written, those that the disk has. */
  get openBytes(): number {
    return this.#open?.file.writtenBytes ?? 0;
  }

  /** Of media in all files, in milliseconds. */
  get durationMs(): number {
    return this.#closedMs + (this.#open === undefined ? 0 : durationOf(this.#open));
  }

  /** Ends it; resolves when its files are closed. */
  async end(): Promise<void> {
    this.#untap?.();
    this.#untap = undefined;
    this.#close("ended");
    await Promise.all(this.#closing);
  }

  feed(feed: FeedInfo | undefined): void {
    if (feed !== undefined) return;
    this.#close("publisher left");
    this.#hasVideo = false;
    this.#audioSinceVideo = 0;
    this.#lowestVideoTrack = Infinity;
  }

  message(message: TappedMessage): void {
    const { typeId, payload, info } = message;
    if (info === undefined) {
      // The metadata of a file stands at its beginning.
      if (this.#open !== undefined && typeId === MESSAGE_TYPE.data && !isMetadata(payload)) {
        this.#open.container.data(this.#place(this.#open, message));
      }
    } else if (info.isFrame) {
      this.#frame(message, info);
    } else if (this.#open !== undefined && info.headerKind !== undefined) {
      this.#header(this.#open, message, info);
    }
  }

  #header(open: OpenFile, message: TappedMessage, info: MediaTagInfo): void {
    if (info.isSequenceHeader) {
      const known = open.configurations.get(info.headerKey);
      if (known !== undefined) {
        if (!isEqual(known, message.payload)) this.#close("codec changed");
        return;
      }
      if (!open.container.takes(info)) return this.#close("another track");
      open.configurations.set(info.headerKey, message.payload.slice());
    }
    open.container.header(this.#place(open, message));
  }

  #frame(message: TappedMessage, info: MediaTagInfo): void {
    const isVideo = info.media === "video";
    if (isVideo) {
      this.#hasVideo = true;
      this.#audioSinceVideo = 0;
      this.#lowestVideoTrack = Math.min(this.#lowestVideoTrack, info.trackId);
    } else {
      this.#audioSinceVideo++;
    }
    const isKey = isVideo && info.isKeyframe && info.trackId === this.#lowestVideoTrack;
    this.#cutWhenDue(message, info, isKey);
    this.#open ??= this.#begin(message, isVideo, isKey);
    const open = this.#open;
    if (open === undefined) return;
    if (isVideo && !open.hasVideo) {
      if (open.plan.waitsForKeyframe && !isKey) return;
      open.hasVideo = true;
    } else if (!isVideo) {
      open.hasAudio = true;
    }
    open.codecs[info.media].set(info.trackId, info.codec);
    open.container.frame(this.#place(open, message), info);
  }

  #cutWhenDue({ timestamp }: TappedMessage, info: MediaTagInfo, isKey: boolean): void {
    const open = this.#open;
    if (open === undefined) return;
    const codec = open.codecs[info.media].get(info.trackId);
    if (codec !== undefined && codec !== info.codec) return this.#close("codec changed");
    if (codec === undefined && !open.container.takes(info)) return this.#close("another track");
    const { plan, durationMs, waitsForKeyframe } = open.plan;
    if (plan !== "segment" || durationMs <= 0 || ((timestamp - open.startMs) | 0) < durationMs) return;
    if (this.#mayBegin(info.media === "video", isKey, waitsForKeyframe)) this.#close("segment full");
  }

  /** With video it is video that a file begins with: what comes first of a publisher decides. */
  #mayBegin(isVideo: boolean, isKey: boolean, waitsForKeyframe: boolean): boolean {
    if (isVideo) return isKey || !waitsForKeyframe;
    return !this.#hasVideo || this.#audioSinceVideo >= AUDIO_ONLY_MESSAGES;
  }

  #begin({ timestamp }: TappedMessage, isVideo: boolean, isKey: boolean): OpenFile | undefined {
    const { settings, disk, clock, holdDescriptor, stream, request: { address, vhost } } = this.#options;
    const plan = settings();
    if (!this.#mayBegin(isVideo, isKey, plan.waitsForKeyframe) || clock.now() < this.#resumesAtMs) {
      return undefined;
    }
    const { root, path } = recordingPath(plan.path, {
      vhost: vhost.name,
      app: address.app,
      stream: address.stream,
      wallMs: clock.wallNow(),
      isUtc: plan.isUtc,
    });
    const isMp4 = path.endsWith(".mp4");
    const file: RecordingFile = new RecordingFile({
      disk,
      clock,
      root,
      path,
      wholeBytes: isMp4 ? wholeMp4Bytes : wholeFlvBytes,
      reserveBytes: plan.reserveBytes,
      holdDescriptor,
      onFailed: (error) => this.#failed(file, error),
    });
    const container = isMp4
      ? new Mp4Recording(file, {
        video: this.#setup(MESSAGE_TYPE.video),
        audio: this.#setup(MESSAGE_TYPE.audio),
      })
      : new FlvRecording(file, stream.metadata);
    const configurations = new Map<string, Uint8Array>();
    const offsetMs = plan.timeJitter === "off" ? 0 : timestamp;
    for (const { typeId, payload } of stream.headersInForce()) {
      if (typeId === MESSAGE_TYPE.data) continue;
      const info = typeId === MESSAGE_TYPE.video ? readVideoTag(payload) : readAudioTag(payload);
      if (info.isSequenceHeader) configurations.set(info.headerKey, payload.slice());
      container.header({ typeId, timeMs: (timestamp - offsetMs) >>> 0, payload });
    }
    return {
      file,
      container,
      startMs: timestamp,
      offsetMs,
      plan,
      configurations,
      codecs: { audio: new Map(), video: new Map() },
      hasAudio: false,
      hasVideo: false,
      lastMs: timestamp,
    };
  }

  /** What sets up the decoder of a kind: the headers in force, of codecs without any the newest first frame. */
  #setup(typeId: number): Uint8Array | undefined {
    return this.#options.stream.codecMessage(typeId);
  }

  /** A message with its time in the file. */
  #place(open: OpenFile, { typeId, timestamp, payload }: TappedMessage): FileMessage {
    const sinceStart = (timestamp - open.startMs) | 0;
    // What was sent before the first frame and comes after it does not begin before the file.
    const time = sinceStart < 0 ? open.startMs : timestamp;
    if (((time - open.lastMs) | 0) > 0) open.lastMs = time;
    return { typeId, timeMs: (time - open.offsetMs) >>> 0, payload };
  }

  /** The disk failed: what is written stays, and after a pause another file is begun. */
  #failed(file: RecordingFile, error: RecordingError): void {
    const { clock, onFailure, stream } = this.#options;
    this.failures++;
    this.lastError = error.message;
    this.#pauseMs = Math.min(this.#pauseMs === 0 ? FIRST_PAUSE_MS : this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#resumesAtMs = clock.now() + this.#pauseMs;
    this.#lastPath = file.path;
    const open = this.#open;
    if (open?.file === file) {
      this.#open = undefined;
      this.#closedMs += durationOf(open);
    }
    this.#closedBytes += file.writtenBytes;
    this.#options.onBytes(file.writtenBytes);
    onFailure(error);
    log.error("Recording paused: the disk failed; the stream goes on", {
      stream: stream.key,
      file: file.path,
      reason: error.failure,
      detail: error.message,
      writtenBytes: file.writtenBytes,
      retryMs: this.#pauseMs,
    });
    this.#keep(file.ended);
  }

  #close(reason: string): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { file, container } = open;
    const durationMs = durationOf(open);
    const failuresBefore = this.failures;
    container.flush();
    const { bytes } = file;
    const closed = file.close(
      container.ending({ durationMs, fileBytes: bytes, hasAudio: open.hasAudio, hasVideo: open.hasVideo }),
    ).then((isWhole) => {
      this.#closedMs += durationMs;
      // A failure while it was closed has been told of already.
      if (this.failures === failuresBefore) {
        this.#closedBytes += bytes;
        this.#options.onBytes(bytes);
      }
      this.#lastPath = file.path;
      if (!isWhole) return;
      this.files++;
      this.#pauseMs = 0;
      log.info("Recording closed", {
        stream: this.#options.stream.key,
        file: file.path,
        durationMs,
        bytes,
        reason,
      });
      this.#options.onFile(file.path);
    });
    this.#keep(closed);
  }

  /** What `end` waits for. */
  #keep(closing: Promise<unknown>): void {
    this.#closing.add(closing);
    inBackground(closing.finally(() => this.#closing.delete(closing)), "closing a recording");
  }
}

function durationOf({ startMs, lastMs }: OpenFile): number {
  return (lastMs - startMs) >>> 0;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
