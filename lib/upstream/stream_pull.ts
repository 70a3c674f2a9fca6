import { getLogger } from "@logtape/logtape";
import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { closedPull, type PullAsker, PullAskers } from "./pull_askers.ts";
import { FIRST_PAUSE_MS, MAX_PAUSE_MS, RetryPause } from "./retry_pause.ts";
import type { SearchPace } from "./search_pace.ts";
import { unlessAborted } from "../base/unless_aborted.ts";
import { followRedirects, type Held, isConnectionFailure, type UpstreamResult } from "./follow_redirects.ts";
import type { UpstreamEndpoint, UpstreamSession } from "./upstream_connection.ts";
import { MEDIA_TIMEOUT_MS, UpstreamPlay } from "./upstream_play.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

const log = getLogger(["headwater", "cluster", "pull"]);

/** Where to look for a stream, in turn. */
export interface PullSource {
  /**
   * The places to try now, best first; empty: no one has it.
   *
   * @param asker Whom the search is for.
   * @throws {RtmpError} When looking fails.
   */
  targets(asker: PullAsker, signal: AbortSignal): Promise<readonly UpstreamTarget[]>;
  /** What came of trying one, or one that it redirected to: for back-off. */
  tried(target: UpstreamTarget, error: RtmpError | undefined): void;
  /**
   * Whether the stream is elsewhere by now; asked while the place that it is pulled from is silent. Left out where nobody knows.
   *
   * @throws {unknown} When asking fails: nothing is known then.
   */
  hasMoved?(from: UpstreamTarget, signal: AbortSignal): Promise<boolean>;
}

export interface StreamPullOptions extends Omit<UpstreamEndpoint, "target" | "session"> {
  readonly stream: LiveStream;
  readonly source: PullSource;
  /**
   * For the session: everything but where and what.
   *
   * @param route Marks of this pull and of those that wait for it.
   */
  readonly session: (asker: PullAsker, route: readonly string[]) => UpstreamSession;
  /** How long one place may take until media when there are others to try, in milliseconds. */
  readonly firstMediaTimeoutMs: number;
  /** Names this pull in logs and the API. */
  readonly id: string;
  /** Marks what this pull asks for, so that it is known when it comes back; nobody can guess it. */
  readonly mark: string;
  /** The client that it is opened for. */
  readonly asker: PullAsker;
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
  readonly #askers: PullAskers;
  readonly #retry = new RetryPause();
  #connection: UpstreamPlay | undefined;
  /** Ends the pause between two searches, at once or at a time by the clock. */
  #wake: ((atMs: number) => void) | undefined;
  /** When the last search began. */
  #searchedMs = -Infinity;
  /** Searches after the first, for metrics. */
  retries = 0;
  /** Ends the counting of this stream among the lost ones. */
  #endSearch: (() => void) | undefined;
  /** Of the last search. */
  #failure: RtmpError | undefined;
  /** The log has said that nobody has the stream. */
  #isKnownMissing = false;

  constructor(options: StreamPullOptions) {
    this.#options = options;
    this.#askers = new PullAskers(options.asker);
    this.#run().catch((error) => {
      log.error("Pull ended: internal error", { stream: options.stream.key, error });
      this.close();
    });
  }

  get mark(): string {
    return this.#options.mark;
  }

  /** Where the stream comes from now, for the API. */
  get upstream(): string | undefined {
    return this.#connection?.isFeeding === true ? this.#connection.name : undefined;
  }

  /** Pulls for one more client; what is returned ends that. */
  add(asker: PullAsker): () => void {
    const { isNew, remove } = this.#askers.add(asker);
    // An origin may answer it otherwise than the others.
    if (isNew) this.#wake?.(this.#searchedMs + FIRST_PAUSE_MS);
    return remove;
  }

  /**
   * Resolves when the stream is here.
   *
   * @throws {RtmpError} What came of a search for this client.
   * @throws {unknown} `signal`'s reason.
   */
  async whenFound(asker: PullAsker, signal: AbortSignal): Promise<void> {
    if (this.#options.stream.feed !== undefined) return;
    if (this.#abort.signal.aborted) throw closedPull();
    const { found, leave } = this.#askers.wait(asker);
    this.#wake?.(-Infinity);
    try {
      await unlessAborted(found, signal);
    } finally {
      leave();
    }
  }

  /** Search now: an encoder has left here, or come somewhere. */
  wake(): void {
    this.#retry.hope(this.#options.clock.now());
    this.#wake?.(-Infinity);
  }

  /** Search soon, with all others that are told so: there is one more place to look at. */
  hurry(): void {
    const { clock, pace } = this.#options;
    this.#wake?.(clock.now() + pace.pauseMs(FIRST_PAUSE_MS));
  }

  /** Ends the pull; the stream stays with its players. */
  close(): void {
    this.#abort.abort();
    this.#connection?.close();
    this.#wake?.(-Infinity);
    this.#endSearch?.();
    this.#askers.close(closedPull());
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { stream } = this.#options;
    // Who opens it joins before it begins.
    await Promise.resolve();
    let searches = 0;
    while (!signal.aborted) {
      let goesOn = false;
      const isRest = stream.feed?.kind === "publish";
      if (isRest) {
        this.#succeed();
      } else {
        if (searches++ > 0) this.retries++;
        goesOn = await this.#search(signal);
      }
      // What held is looked for at once.
      if (!signal.aborted && !goesOn && !this.#askers.isAwaited) await this.#pause(isRest);
    }
  }

  /** One turn through all places, to the end of the pull; whether to begin another at once. */
  async #search(signal: AbortSignal): Promise<boolean> {
    const { source, stream, clock } = this.#options;
    this.#searchedMs = clock.now();
    const asker = this.#askers.begin();
    let failure: RtmpError | undefined;
    try {
      const targets = await source.targets(asker, signal);
      for (const target of targets) {
        if (signal.aborted || stream.feed?.kind === "publish") return false;
        const result = await followRedirects(
          target,
          (next) => this.#pull(next, target, asker, targets.length > 1),
          source.tried,
        );
        if (result.kind === "held") return this.#noteEnd(result);
        failure = moreTelling(failure, result.error);
      }
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof RtmpError)) {
        log.error("Search failed: internal error", { stream: stream.key, error });
      }
      failure = error instanceof RtmpError ? error : undefined;
    }
    failure ??= new RtmpError("stream-not-found", `Cannot find stream '${stream.key}': no server has it`);
    this.#failure = failure;
    this.#askers.failed(asker, failure);
    if (!this.#isKnownMissing) {
      this.#isKnownMissing = true;
      log.info("Stream not found; still searching", { stream: stream.key, reason: failure.message });
    }
    return false;
  }

  /** Pulls from `target`, which `first` may have redirected to. */
  async #pull(
    target: UpstreamTarget,
    first: UpstreamTarget,
    asker: PullAsker,
    hasOthers: boolean,
  ): Promise<UpstreamResult> {
    const { session, stream, mark, source, firstMediaTimeoutMs } = this.#options;
    const connection = new UpstreamPlay({
      ...this.#options,
      target,
      session: session(asker, this.#askers.route(mark)),
      firstMediaTimeoutMs: hasOthers ? firstMediaTimeoutMs : MEDIA_TIMEOUT_MS,
      // When asking fails, nothing is known.
      hasMoved: async () => await source.hasMoved?.(first, this.#abort.signal).catch(() => undefined),
      onFed: (from) => {
        const level = this.#retry.isBreaking ? "debug" : "info";
        log[level]("Pull started", { stream: stream.key, from });
        this.#succeed();
      },
    });
    this.#connection = connection;
    try {
      return await connection.run();
    } finally {
      this.#connection = undefined;
    }
  }

  /** A pull that fed the stream has ended. One that breaks again and again is told of once. */
  #noteEnd({ heldMs, error, by }: Held): boolean {
    const { stream, clock } = this.#options;
    this.#failure = error;
    const wasBreaking = this.#retry.isBreaking;
    const held = this.#retry.ended(error?.code === "taken-over" ? Infinity : heldMs, clock.now());
    const properties = { stream: stream.key, from: by, reason: error?.message ?? "closed" };
    if (held) {
      this.#isKnownMissing = false;
      log.info("Pull ended", properties);
    } else {
      log[wasBreaking ? "debug" : "warn"]("Pull ended right after it started; retrying", properties);
    }
    return held;
  }

  #succeed(): void {
    this.#endSearch?.();
    this.#endSearch = undefined;
    this.#askers.found();
  }

  #pause(isRest: boolean): Promise<void> {
    const { clock, pace, stream } = this.#options;
    if (stream.feed === undefined) this.#endSearch ??= pace.begin();
    const nowMs = clock.now();
    const pauseMs = isRest ? MAX_PAUSE_MS : pace.pauseMs(this.#retry.next(nowMs, this.#failure));
    return new Promise((resolve) => {
      let endMs = nowMs + pauseMs;
      const end = () => {
        clock.clearTimer(timer);
        this.#wake = undefined;
        resolve();
      };
      let timer = clock.setTimer(end, pauseMs);
      this.#wake = (atMs) => {
        if (atMs >= endMs) return;
        endMs = atMs;
        clock.clearTimer(timer);
        if (atMs <= clock.now()) end();
        else timer = clock.setTimer(end, atMs - clock.now());
      };
    });
  }
}

/** Of several failures the one that says most: a refusal before a dead connection. */
function moreTelling(first: RtmpError | undefined, second: RtmpError): RtmpError {
  if (first === undefined || isConnectionFailure(first)) return second;
  return isConnectionFailure(second) || second.code === "stream-not-found" ? first : second;
}
