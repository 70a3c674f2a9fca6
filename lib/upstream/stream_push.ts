import { getLogger } from "@logtape/logtape";
import { errorText, RtmpError } from "../base/errors.ts";
import { LOG_MESSAGE_STREAM_ID } from "../hub/output_format.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import { type ClientEvent, refusalError } from "../session/client_session.ts";
import { pause } from "./pause.ts";
import type { PullSession } from "./pull_connection.ts";
import { RetryPause } from "./retry_pause.ts";
import {
  isConnectionFailure,
  MAX_REDIRECTS,
  type PullSource,
  type StreamPullOptions,
  tooManyRedirects,
} from "./stream_pull.ts";
import { UpstreamConnection } from "./upstream_connection.ts";
import { redirectedTarget, type UpstreamTarget } from "./upstream_target.ts";

const log = getLogger(["headwater", "cluster", "push"]);

/** How long an origin may take from TCP to Publish.Start, in milliseconds. */
const START_TIMEOUT_MS = 3000;
/** An origin that takes no bytes for so long is dead, in milliseconds. */
const SEND_TIMEOUT_MS = 3000;
/** How long an origin may take to answer a ping, which waits its turn behind the media, in milliseconds. */
const PING_PATIENCE_MS = 3000;
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

export interface StreamPushOptions
  extends Pick<StreamPullOptions, "stream" | "dial" | "clock" | "traffic" | "connectTimeoutMs"> {
  readonly source: PushSource;
  readonly session: PullSession;
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
  #connection: UpstreamConnection | undefined;
  #cursor: PlayerCursor | undefined;
  #wasAccepted = false;
  #lostAtMs = 0;
  readonly #retry = new RetryPause();
  /** Resolves when an origin has said Publish.Start; rejects with its refusal, or when none can be reached. */
  readonly ready: Promise<void>;
  readonly #readiness = Promise.withResolvers<void>();
  #startedMs = 0;

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
    this.#unsubscribe();
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
      const { wasStarted, error } = await this.#tryTarget(target);
      if (wasStarted) return undefined;
      if (failure === undefined || isConnectionFailure(failure)) failure = error;
      // Another origin of a cluster of SRS's would take a stream that this one refuses, and both would have it.
      if (!this.#wasAccepted && !isConnectionFailure(error)) return error;
    }
    return failure ?? new RtmpError("no-origin", "Cannot push: no origin is configured");
  }

  /** Pushes to one place, following redirects. */
  async #tryTarget(first: UpstreamTarget): Promise<{ wasStarted: boolean; error: RtmpError }> {
    const { source } = this.#options;
    let target = first;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const result = await this.#push(target);
      if (result.redirectUrl === undefined) {
        // That a place can't be reached that it sends us to is not its own failure.
        source.tried(first, target === first ? result.error : undefined);
        return result;
      }
      try {
        target = redirectedTarget(target, result.redirectUrl);
      } catch (error) {
        source.tried(first, error as RtmpError);
        return { wasStarted: false, error: error as RtmpError };
      }
    }
    const error = tooManyRedirects(first);
    source.tried(first, error);
    return { wasStarted: false, error };
  }

  async #push(
    target: UpstreamTarget,
  ): Promise<{ wasStarted: boolean; error: RtmpError; redirectUrl?: string }> {
    const { dial, clock, traffic, session, connectTimeoutMs, stream } = this.#options;
    let redirectUrl: string | undefined;
    let wasStarted = false;
    const begunMs = clock.now();
    const connection: UpstreamConnection = new UpstreamConnection({
      dial,
      clock,
      traffic,
      address: target.address,
      connectTimeoutMs,
      session: {
        ...session,
        purpose: "publish",
        tcUrl: target.tcUrl,
        app: target.app,
        streamName: target.streamName,
        chunkSize: stream.options.chunkSize,
      },
      onEvent: (event: ClientEvent) => {
        if (event.kind === "redirect" && event.isUrgent) {
          redirectUrl = event.url;
          connection.close();
        } else if (event.kind === "refused") {
          connection.close(refusalError(event.code, event.description));
        } else if (event.kind === "started" && !wasStarted) {
          wasStarted = true;
          this.#start(connection);
        }
      },
      onMoreLater: () => {
        if (this.#cursor !== undefined) this.#options.onBehind(this.#cursor);
      },
      onLook: () => {
        const nowMs = clock.now();
        const { writingSinceMs } = connection;
        if (!wasStarted && nowMs - begunMs > START_TIMEOUT_MS) {
          connection.close(
            new RtmpError(
              "connection-lost",
              `${connection.name} did not accept within ${START_TIMEOUT_MS} ms`,
            ),
          );
        } else if (wasStarted && writingSinceMs !== undefined && nowMs - writingSinceMs > SEND_TIMEOUT_MS) {
          connection.close(
            new RtmpError("connection-lost", `${connection.name} accepted no data for ${SEND_TIMEOUT_MS} ms`),
          );
        } else if (wasStarted) {
          connection.checkAlive(PING_PATIENCE_MS);
        }
      },
    });
    this.#connection = connection;
    let error = new RtmpError("connection-lost", `${connection.name} closed the connection`);
    try {
      await connection.run();
    } catch (thrown) {
      if (thrown instanceof RtmpError) error = thrown;
      else log.error("Push failed: internal error", { stream: stream.key, error: thrown });
    } finally {
      this.#connection = undefined;
      this.#unsubscribe();
    }
    if (wasStarted) this.#noteEnd(connection.name, error);
    if (!wasStarted && connection.wasClosedByPeer && connection.session.hasAsked) {
      error = new RtmpError(
        "remote-refused",
        `${connection.name} refused the stream: it closed the connection`,
      );
    }
    return { wasStarted, error, ...(redirectUrl === undefined ? {} : { redirectUrl }) };
  }

  /** A push that had begun has ended. One that breaks again and again is told of once. */
  #noteEnd(to: string, error: RtmpError): void {
    const { stream, clock } = this.#options;
    this.#lostAtMs = clock.now();
    const wasBreaking = this.#retry.isBreaking;
    const held = this.#retry.ended(this.#lostAtMs - this.#startedMs, this.#lostAtMs);
    const properties = { stream: stream.key, to, reason: error.message };
    if (held || this.#abort.signal.aborted) log.info("Push ended", properties);
    else log[wasBreaking ? "debug" : "warn"]("Push ended right after it started; retrying", properties);
  }

  #start(connection: UpstreamConnection): void {
    const { stream } = this.#options;
    const cursor = stream.subscribe("rtmp", { fromGop: true, onReady: () => connection.flush() });
    const { messageStreamId } = connection.session;
    if (messageStreamId !== LOG_MESSAGE_STREAM_ID) cursor.setFilter({ messageStreamId, accept: () => true });
    this.#cursor = cursor;
    this.#wasAccepted = true;
    log[this.#retry.isBreaking ? "debug" : "info"]("Push started", {
      stream: stream.key,
      to: connection.name,
    });
    this.#readiness.resolve();
    this.#startedMs = this.#options.clock.now();
    // After the session's own words, which set the chunk size of these bytes.
    queueMicrotask(() => connection.addSource(cursor));
  }

  #unsubscribe(): void {
    if (this.#cursor === undefined) return;
    this.#connection?.removeSource(this.#cursor);
    this.#options.stream.unsubscribe(this.#cursor);
    this.#cursor = undefined;
  }
}
