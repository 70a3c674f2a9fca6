import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import { RtmpError } from "../base/errors.ts";
import { RateMeter } from "../base/rate_meter.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamFeed } from "../hub/stream_feed.ts";

import type { UpstreamResult } from "./follow_redirects.ts";
import { UpstreamConnection, type UpstreamEndpoint, type UpstreamEvent } from "./upstream_connection.ts";

const log = getLogger(["headwater", "cluster", "pull"]);

/** A connected upstream without media for so long has none for us, in milliseconds; SRS's. */
export const MEDIA_TIMEOUT_MS = 5000;
/**
 * An upstream that is silent for so long may have lost its publisher, in milliseconds: SRS tells its players nothing. Whether the
 * stream is elsewhere now is asked then, and again after each such time.
 */
const SILENCE_MS = 500;
/** How long an upstream that is silent may take to answer a ping, in milliseconds. */
const PING_PATIENCE_MS = 1500;
/** The rate that a pull comes at is taken over so long, in milliseconds. */
const RATE_WINDOW_MS = 5000;

export interface UpstreamPlayOptions extends UpstreamEndpoint {
  readonly stream: LiveStream;
  /** Names the feed in the API. */
  readonly id: string;
  /** How long it may take until the first media, in milliseconds. */
  readonly firstMediaTimeoutMs: number;
  /** Asked before each read of media that comes at so many bytes a second: what to wait for first. */
  readonly pauseReading?: (bytesPerSecond: number) => Promise<void> | undefined;
  /** Whether the stream is elsewhere by now; asked while the upstream is silent. */
  readonly hasMoved: () => Promise<boolean | undefined>;
  /** The first media is here. */
  readonly onFed: (from: string) => void;
}

/** One connection that plays a stream of another server and feeds ours with it, to its end. */
export class UpstreamPlay {
  readonly #options: UpstreamPlayOptions;
  readonly #connection: UpstreamConnection;
  readonly #receiveRate = new RateMeter(RATE_WINDOW_MS);
  readonly #begunMs: number;
  #feed: StreamFeed | undefined;
  #fedSinceMs: number | undefined;
  #lastMediaMs = 0;
  #askedMs = 0;

  constructor(options: UpstreamPlayOptions) {
    this.#options = options;
    const { clock, stream, pauseReading } = options;
    this.#begunMs = clock.now();
    this.#connection = new UpstreamConnection({
      ...options,
      purpose: "play",
      chunkSize: stream.options.chunkSize,
      pauseReading: () =>
        this.#feed === undefined ? undefined : pauseReading?.(this.#receiveRate.perSecond()),
      onEvent: (event) => this.#handle(event),
      onLook: () => this.#look(),
    });
  }

  /** The other server, for logs and the API. */
  get name(): string {
    return this.#connection.name;
  }

  /** Whether it feeds the stream now. */
  get isFeeding(): boolean {
    return this.#feed !== undefined;
  }

  async run(): Promise<UpstreamResult> {
    const { clock, stream } = this.#options;
    const error = await this.#connection.run();
    this.#detach();
    const heldMs = this.#fedSinceMs === undefined ? undefined : clock.now() - this.#fedSinceMs;
    const { redirectUrl } = this.#connection;
    if (redirectUrl !== undefined) return { kind: "redirect", url: redirectUrl, heldMs: heldMs ?? 0 };
    if (heldMs !== undefined) return { kind: "held", by: this.name, heldMs, error };
    const notFound = () =>
      new RtmpError(
        "stream-not-found",
        `Cannot pull '${stream.key}': ${this.name} closed the connection without sending media`,
      );
    return { kind: "failed", error: error ?? notFound() };
  }

  /** Ends the connection; the stream is nobody's at once. */
  close(): void {
    this.#connection.close();
    this.#detach();
  }

  #look(): void {
    const { clock, stream, firstMediaTimeoutMs } = this.#options;
    const nowMs = clock.now();
    this.#receiveRate.sample(stream.receivedBytes, nowMs);
    const isFeeding = this.#feed !== undefined;
    const limitMs = isFeeding ? MEDIA_TIMEOUT_MS : firstMediaTimeoutMs;
    const sinceMs = isFeeding ? this.#lastMediaMs : this.#begunMs;
    if (nowMs - sinceMs > limitMs) {
      this.#connection.close(
        new RtmpError("connection-lost", `${this.name} sent no media for ${limitMs} ms`),
      );
    } else if (isFeeding && nowMs - Math.max(sinceMs, this.#askedMs) >= SILENCE_MS) {
      this.#askedMs = nowMs;
      inBackground(this.#leaveIfMoved(sinceMs), "locating a silent stream");
    }
    this.#connection.checkAlive(PING_PATIENCE_MS);
  }

  /** Ends a connection that has been silent since `sinceMs`, when the stream is elsewhere and it is silent still. */
  async #leaveIfMoved(sinceMs: number): Promise<void> {
    const hasMoved = await this.#options.hasMoved();
    if (hasMoved === true && this.#feed !== undefined && this.#lastMediaMs === sinceMs) {
      this.#connection.close(
        new RtmpError("stream-not-found", `${this.name} stopped sending, and another server has the stream`),
      );
    }
  }

  #handle(event: UpstreamEvent): void {
    switch (event.kind) {
      case "media":
        this.#lastMediaMs = this.#options.clock.now();
        this.#feed ??= this.#attach();
        this.#feed?.write(event, this.#lastMediaMs);
        return;
      case "leftOut":
        this.#feed?.leaveOut(event.what, event.error);
        return;
      case "ended":
        // The publisher has left there; it may come back there or elsewhere, so look again.
        this.#connection.close(new RtmpError("stream-not-found", `${this.name} sent ${event.code}`));
        return;
      case "connected":
      case "started":
        return;
      default:
        return event satisfies never;
    }
  }

  #attach(): StreamFeed | undefined {
    const { stream, id, clock, onFed } = this.#options;
    try {
      const feed = stream.attach({
        kind: "pull",
        id,
        startedAtMs: clock.wallNow(),
        stop: (reason) => {
          this.#feed = undefined;
          this.#connection.close(reason);
        },
        onLeftOut: (what, error) =>
          log.warn("Dropped from the stream", {
            stream: stream.key,
            from: this.name,
            what,
            detail: error.message,
          }),
      });
      this.#fedSinceMs = clock.now();
      onFed(this.name);
      return feed;
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      // An encoder has come here meanwhile.
      this.#connection.close(error);
      return undefined;
    }
  }

  #detach(): void {
    this.#feed?.close();
    this.#feed = undefined;
  }
}
