import { getLogger } from "@logtape/logtape";
import { RtmpError } from "../base/errors.ts";
import { RateMeter } from "../base/rate_meter.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { FeedInfo, LiveStream, StreamFeed } from "../hub/live_stream.ts";
import { type ClientEvent, type ClientSessionOptions, refusalError } from "../session/client_session.ts";
import type { SearchPace } from "./search_pace.ts";
import { type Dial, UpstreamConnection } from "./upstream_connection.ts";
import { redirectedTarget, type UpstreamTarget } from "./upstream_target.ts";

const log = getLogger(["headwater", "cluster", "pull"]);

/** Redirects followed in a row; one more is a loop. */
const MAX_REDIRECTS = 3;
/** A connected upstream without media for so long has none for us, in milliseconds; SRS's. */
const MEDIA_TIMEOUT_MS = 5000;
/**
 * An upstream that is silent for so long may have lost its publisher, in milliseconds: SRS tells its players nothing. Whether the
 * stream is elsewhere now is asked then, and again after each such time.
 */
const SILENCE_MS = 500;
/** How long an upstream that is silent may take to answer a ping, in milliseconds. */
const PING_PATIENCE_MS = 1500;
/** How often a connection's times are looked at, in milliseconds. */
const WATCH_INTERVAL_MS = 250;
/** The rate that a pull comes at is taken over so long, in milliseconds. */
const RATE_WINDOW_MS = 5000;
/** Pause between two searches while players wait, in milliseconds: short at first, since encoders come back soon. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 1000;
/** For so long after a stream was lost the search goes at the short pause, in milliseconds. */
const EAGER_SEARCH_MS = 20_000;

/** Where to look for a stream, in turn. */
export interface PullSource {
  /**
   * The places to try now, best first; empty: no one has it.
   *
   * @throws {RtmpError} When looking fails.
   */
  targets(signal: AbortSignal): Promise<readonly UpstreamTarget[]>;
  /** What came of trying one: for back-off. */
  tried(target: UpstreamTarget, error: RtmpError | undefined): void;
  /**
   * Whether the stream is elsewhere by now; asked while the place that it is pulled from is silent. Left out where nobody knows.
   *
   * @throws {unknown} When asking fails: nothing is known then.
   */
  hasMoved?(from: UpstreamTarget, signal: AbortSignal): Promise<boolean>;
}

export interface StreamPullOptions {
  readonly stream: LiveStream;
  readonly source: PullSource;
  readonly dial: Dial;
  readonly clock: Clock;
  /** For the session: everything but where and what. */
  readonly session: Pick<
    ClientSessionOptions,
    "pageUrl" | "swfUrl" | "argumentsObject" | "limits" | "randomBytes"
  >;
  readonly connectTimeoutMs: number;
  /** How long one place may take until media when there are others to try, in milliseconds. */
  readonly firstMediaTimeoutMs: number;
  /** Names this pull in logs and the API. */
  readonly id: string;
  /** Shared by all pulls of a node. */
  readonly pace: SearchPace;
  /** Asked before each read of media that comes at so many bytes a second: what to wait for first. */
  readonly pauseReading?: (bytesPerSecond: number) => Promise<void> | undefined;
}

/**
 * Keeps a stream fed from upstream for as long as it is open: searches, pulls, follows redirects, and searches again when the upstream
 * is gone, while the players stay. While an encoder feeds the stream here, it rests.
 */
export class StreamPull {
  readonly #options: StreamPullOptions;
  readonly #abort = new AbortController();
  #connection: UpstreamConnection | undefined;
  #feed: StreamFeed | undefined;
  #lostAtMs: number;
  #wake: (() => void) | undefined;
  /** Searches after the first, for metrics. */
  retries = 0;
  /** Resolves when the first media has come; rejects when the first search found no one. */
  readonly ready: Promise<void>;
  readonly #readiness = Promise.withResolvers<void>();
  readonly #receiveRate = new RateMeter(RATE_WINDOW_MS);
  /** Ends the counting of this stream among the lost ones. */
  #endSearch: (() => void) | undefined;

  constructor(options: StreamPullOptions) {
    this.#options = options;
    this.#lostAtMs = options.clock.now();
    this.ready = this.#readiness.promise;
    this.ready.catch(() => {
      // Those who wait for it are told; nobody else has to be.
    });
    this.#run();
  }

  /** Where the stream comes from now, for the API. */
  get upstream(): string | undefined {
    return this.#feed === undefined ? undefined : this.#connection?.name;
  }

  /** Search now: an encoder has left here, or come somewhere. */
  wake(): void {
    this.#lostAtMs = this.#options.clock.now();
    this.#wake?.();
  }

  /** Ends the pull; the stream stays with its players. */
  close(): void {
    this.#abort.abort();
    this.#connection?.close();
    this.#detach();
    this.#wake?.();
    this.#endSearch?.();
    this.#readiness.reject(new RtmpError("stream-not-found", "The pull was closed"));
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let searches = 0;
    while (!signal.aborted) {
      if (this.#options.stream.feed?.kind === "publish") {
        this.#succeed();
      } else {
        if (searches++ > 0) this.retries++;
        const pulledForMs = await this.#search(signal);
        // What was served for a while is looked for at once; who takes a pull and drops it again and again is not asked in a loop.
        if (pulledForMs > MAX_PAUSE_MS && !signal.aborted) continue;
      }
      if (signal.aborted) return;
      await this.#pause();
    }
  }

  /** One turn through all places, to the end of the pull; how long it was fed, in milliseconds, 0 when no one has the stream. */
  async #search(signal: AbortSignal): Promise<number> {
    const { source, stream } = this.#options;
    let failure: RtmpError | undefined;
    try {
      const targets = await source.targets(signal);
      for (const target of targets) {
        if (signal.aborted || stream.feed?.kind === "publish") return 0;
        const outcome = await this.#tryTarget(target, targets.length > 1);
        if (outcome === "pulled") return this.#lostAtMs - this.#attachedMs;
        failure = moreTelling(failure, outcome);
      }
    } catch (error) {
      if (!(error instanceof RtmpError)) {
        log.error("Search failed by a fault of this program", { stream: stream.key, error });
      }
      failure = error instanceof RtmpError ? error : undefined;
    }
    this.#readiness.reject(
      failure ?? new RtmpError("stream-not-found", `Cannot find stream '${stream.key}': no server has it`),
    );
    return 0;
  }

  /** Pulls from one place, following redirects; the error when it gave nothing. */
  async #tryTarget(first: UpstreamTarget, hasOthers: boolean): Promise<"pulled" | RtmpError> {
    const { source } = this.#options;
    let target = first;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const result = await this.#pull(target, first, hasOthers);
      if (result.kind !== "redirect") {
        // That a place can't be reached that it sends us to is not its own failure.
        source.tried(first, target === first ? result.error : undefined);
        return result.kind === "pulled" ? "pulled" : result.error;
      }
      try {
        target = redirectedTarget(target, result.url);
      } catch (error) {
        source.tried(first, error as RtmpError);
        return error as RtmpError;
      }
    }
    const error = new RtmpError(
      "relay-loop",
      `Cannot follow more than ${MAX_REDIRECTS} redirects from ${first.tcUrl}`,
    );
    source.tried(first, error);
    return error;
  }

  /** Pulls from `target`, which `first` may have redirected to. */
  async #pull(
    target: UpstreamTarget,
    first: UpstreamTarget,
    hasOthers: boolean,
  ): Promise<PullResult> {
    const { dial, clock, session, connectTimeoutMs, firstMediaTimeoutMs, stream } = this.#options;
    let redirectUrl: string | undefined;
    const connection: UpstreamConnection = new UpstreamConnection({
      dial,
      clock,
      address: target.address,
      connectTimeoutMs,
      session: {
        ...session,
        purpose: "play",
        tcUrl: target.tcUrl,
        app: target.app,
        streamName: target.streamName,
        chunkSize: stream.options.chunkSize,
      },
      pauseReading: () =>
        this.#feed === undefined ? undefined : this.#options.pauseReading?.(this.#receiveRate.perSecond()),
      onEvent: (event) => {
        if (event.kind === "redirect") {
          redirectUrl = event.url;
          connection.close();
        } else {
          this.#handle(event, connection);
        }
      },
    });
    this.#connection = connection;
    const begunMs = clock.now();
    let askedMs = 0;
    let watch: Timer;
    const look = () => {
      watch = clock.setTimer(look, WATCH_INTERVAL_MS);
      const nowMs = clock.now();
      this.#receiveRate.sample(stream.receivedBytes, nowMs);
      const limitMs = this.#feed === undefined && hasOthers ? firstMediaTimeoutMs : MEDIA_TIMEOUT_MS;
      const sinceMs = this.#feed === undefined ? begunMs : this.#lastMediaMs;
      if (nowMs - sinceMs > limitMs) {
        connection.close(
          new RtmpError("connection-lost", `${connection.name} sent no media for ${limitMs} ms`),
        );
      } else if (this.#feed !== undefined && nowMs - Math.max(sinceMs, askedMs) >= SILENCE_MS) {
        askedMs = nowMs;
        void this.#leaveIfMoved(connection, first, sinceMs);
      }
      connection.checkAlive(PING_PATIENCE_MS);
    };
    watch = clock.setTimer(look, WATCH_INTERVAL_MS);
    let failure: RtmpError | undefined;
    try {
      await connection.run();
    } catch (error) {
      failure = error instanceof RtmpError
        ? error
        : new RtmpError("connection-lost", String(error), { cause: error });
      if (!(error instanceof RtmpError)) {
        log.error("Pull failed by a fault of this program", { stream: stream.key, error });
      }
    } finally {
      clock.clearTimer(watch);
      this.#connection = undefined;
    }
    const hadMedia = this.#feed !== undefined;
    this.#detach();
    if (redirectUrl !== undefined) return { kind: "redirect", url: redirectUrl };
    if (hadMedia) {
      const properties = { stream: stream.key, from: connection.name, reason: failure?.message ?? "closed" };
      log.info("Pull ended", properties);
      return { kind: "pulled", error: failure };
    }
    return {
      kind: "failed",
      error: failure ?? new RtmpError("stream-not-found", `${connection.name} closed without media`),
    };
  }

  #lastMediaMs = 0;
  #attachedMs = 0;

  /** Ends a connection that has been silent since `sinceMs`, when the stream is elsewhere and it is silent still. */
  async #leaveIfMoved(
    connection: UpstreamConnection,
    from: UpstreamTarget,
    sinceMs: number,
  ): Promise<void> {
    let hasMoved: boolean | undefined;
    try {
      hasMoved = await this.#options.source.hasMoved?.(from, this.#abort.signal);
    } catch {
      return;
    }
    if (hasMoved && this.#connection === connection && this.#lastMediaMs === sinceMs) {
      connection.close(
        new RtmpError("stream-not-found", `${connection.name} is silent, and another server has the stream`),
      );
    }
  }

  #handle(event: Exclude<ClientEvent, { kind: "redirect" }>, connection: UpstreamConnection): void {
    switch (event.kind) {
      case "media":
        this.#lastMediaMs = this.#options.clock.now();
        this.#feed ??= this.#attach(connection);
        this.#feed?.write(event, this.#lastMediaMs);
        return;
      case "refused":
        connection.close(refusalError(event.code, event.description));
        return;
      case "ended":
        // The publisher has left there; it may come back there or elsewhere, so look again.
        connection.close(new RtmpError("stream-not-found", `${connection.name} says ${event.code}`));
        return;
      case "connected":
      case "started":
        return;
      default:
        return event satisfies never;
    }
  }

  #attach(connection: UpstreamConnection): StreamFeed | undefined {
    const { stream, id } = this.#options;
    const info: FeedInfo = {
      kind: "pull",
      id,
      startedAtMs: Date.now(),
      stop: (reason) => {
        this.#feed = undefined;
        connection.close(reason);
      },
    };
    try {
      const feed = stream.attach(info);
      this.#attachedMs = this.#options.clock.now();
      log.info("Pull started", { stream: stream.key, from: connection.name });
      this.#succeed();
      return feed;
    } catch (error) {
      // An encoder has come here meanwhile.
      connection.close(error as RtmpError);
      return undefined;
    }
  }

  #detach(): void {
    if (this.#feed === undefined) return;
    this.#feed.close();
    this.#feed = undefined;
    this.#lostAtMs = this.#options.clock.now();
  }

  #succeed(): void {
    this.#readiness.resolve();
    this.#endSearch?.();
    this.#endSearch = undefined;
  }

  #pause(): Promise<void> {
    const { clock, pace, stream } = this.#options;
    if (stream.feed === undefined) this.#endSearch ??= pace.begin();
    const isEager = clock.now() - this.#lostAtMs < EAGER_SEARCH_MS;
    return new Promise((resolve) => {
      const timer = clock.setTimer(resolve, pace.pauseMs(isEager ? FIRST_PAUSE_MS : MAX_PAUSE_MS));
      this.#wake = () => {
        clock.clearTimer(timer);
        resolve();
      };
    });
  }
}

/** What came of one connection, with what ended it. */
type PullResult =
  | { readonly kind: "pulled"; readonly error: RtmpError | undefined }
  | { readonly kind: "failed"; readonly error: RtmpError }
  | { readonly kind: "redirect"; readonly url: string };

/** Of several failures the one that says most: a refusal before a dead connection. */
function moreTelling(first: RtmpError | undefined, second: RtmpError): RtmpError {
  if (first === undefined || isConnectionFailure(first)) return second;
  return isConnectionFailure(second) || second.code === "stream-not-found" ? first : second;
}

/** Whether it says nothing but that the other server could not be spoken with. */
export function isConnectionFailure(error: RtmpError): boolean {
  return error.code === "connection-lost" || error.code === "unreachable";
}
