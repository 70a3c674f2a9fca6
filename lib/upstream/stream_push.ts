import { getLogger } from "@logtape/logtape";
import { errorText, RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import { followRedirects, type Held, isConnectionFailure, type UpstreamResult } from "./follow_redirects.ts";
import { pause } from "./pause.ts";
import { RetryPause } from "./retry_pause.ts";
import type { PullSource } from "./stream_pull.ts";
import type { UpstreamEndpoint } from "./upstream_connection.ts";
import { UpstreamPublish } from "./upstream_publish.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

const log = getLogger(["headwater", "cluster", "push"]);

/** How long an origin may take to accept the stream, to take bytes, and to answer a ping, in milliseconds. */
const PATIENCE_MS = 3000;
/** An origin may hold the stream busy for so long after another one died, in milliseconds: until it notices. */
const BUSY_GRACE_MS = 15_000;

/** Where to push a stream, in turn. */
export interface PushSource extends Pick<PullSource, "tried"> {
  /**
   * The places to try now, best first.
   *
   * @throws {RtmpError} When looking fails.
   */
  targets(signal: AbortSignal): Promise<readonly UpstreamTarget[]>;
}

export interface StreamPushOptions extends Omit<UpstreamEndpoint, "target"> {
  readonly stream: LiveStream;
  readonly source: PushSource;
  /** The players' scheduler gathers for this cursor as for any. */
  readonly onBehind: (cursor: PlayerCursor) => void;
  /** No origin takes the stream any more. */
  readonly onRefused: (error: RtmpError) => void;
}

/**
 * Sends a stream that is published here on to one of several origins. When that one dies the next gets the stream, from the codec
 * headers and the last key frame on; the encoder does not notice. A refusal reaches the encoder.
 */
export class StreamPush {
  readonly #options: StreamPushOptions;
  readonly #abort = new AbortController();
  #connection: UpstreamPublish | undefined;
  #wasAccepted = false;
  #lostAtMs = 0;
  readonly #retry = new RetryPause();
  /** Resolves when an origin has said Publish.Start; rejects with its refusal, or when none can be reached. */
  readonly ready: Promise<void>;
  readonly #readiness = Promise.withResolvers<void>();

  constructor(options: StreamPushOptions) {
    this.#options = options;
    this.ready = this.#readiness.promise;
    this.ready.catch(() => {
      // Those who wait for it are told.
    });
    this.#run().catch((error) => {
      log.error("Push ended: internal error", { stream: options.stream.key, error });
      this.#refuse(new RtmpError("no-origin", `Cannot push '${options.stream.key}': ${errorText(error)}`));
    });
  }

  close(): void {
    this.#abort.abort();
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const failure = await this.#turn(signal);
      if (signal.aborted) return;
      if (failure !== undefined && !this.#mayRetry(failure)) {
        this.#refuse(failure);
        return;
      }
      // The next origin gets the stream at once, unless origins take it only to drop it.
      if (failure === undefined && !this.#retry.isBreaking) continue;
      const { clock } = this.#options;
      await pause(clock, this.#retry.next(clock.now(), failure), signal);
    }
  }

  /** Tells the encoder that no origin takes its stream. */
  #refuse(reason: RtmpError): void {
    this.close();
    this.#readiness.reject(reason);
    if (this.#wasAccepted) this.#options.onRefused(reason);
  }

  /** Once accepted, only a refusal ends the push: dead origins come back, and a busy one may not know yet that another died. */
  #mayRetry(failure: RtmpError): boolean {
    if (!this.#wasAccepted) return false;
    if (failure.code === "stream-busy") return this.#options.clock.now() - this.#lostAtMs < BUSY_GRACE_MS;
    return failure.code !== "unauthorized";
  }

  /** One turn through all origins; the most telling failure when none took the stream. */
  async #turn(signal: AbortSignal): Promise<RtmpError | undefined> {
    const { source } = this.#options;
    let failure: RtmpError | undefined;
    let targets: readonly UpstreamTarget[];
    try {
      targets = await source.targets(signal);
    } catch (error) {
      if (error instanceof RtmpError) return error;
      throw error;
    }
    for (const target of targets) {
      if (signal.aborted) break;
      const result = await followRedirects(target, (next) => this.#push(next), source.tried);
      if (result.kind === "held") {
        this.#noteEnd(result);
        return undefined;
      }
      const { error } = result;
      if (failure === undefined || isConnectionFailure(failure)) failure = error;
      // Another origin of a cluster of SRS's would take a stream that this one refuses, and both would have it.
      if (!this.#wasAccepted && !isConnectionFailure(error)) return error;
    }
    return failure ?? new RtmpError("no-origin", "Cannot push: no origin is configured");
  }

  async #push(target: UpstreamTarget): Promise<UpstreamResult> {
    const { stream } = this.#options;
    const connection = new UpstreamPublish({
      ...this.#options,
      target,
      patienceMs: PATIENCE_MS,
      onStarted: (to) => {
        this.#wasAccepted = true;
        log[this.#retry.isBreaking ? "debug" : "info"]("Push started", { stream: stream.key, to });
        this.#readiness.resolve();
      },
    });
    this.#connection = connection;
    try {
      return await connection.run();
    } finally {
      this.#connection = undefined;
    }
  }

  /** A push that had begun has ended. One that breaks again and again is told of once. */
  #noteEnd({ by, heldMs, error }: Held): void {
    const { stream, clock } = this.#options;
    this.#lostAtMs = clock.now();
    const wasBreaking = this.#retry.isBreaking;
    const held = this.#retry.ended(heldMs, this.#lostAtMs);
    const properties = { stream: stream.key, to: by, reason: error?.message ?? "closed" };
    if (held || this.#abort.signal.aborted) log.info("Push ended", properties);
    else log[wasBreaking ? "debug" : "warn"]("Push ended right after it started; retrying", properties);
  }
}
