import type { Clock } from "../base/clock.ts";
import { RtmpError } from "../base/errors.ts";
import { admitAccess } from "./admit_access.ts";
import type { Leave } from "../access/access_check.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { FeedInfo, LeftOut, StreamFeed } from "../hub/stream_feed.ts";
import type { HeldStream } from "../hub/stream_hub.ts";
import type { StreamMessage } from "../hub/output_format.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import { drainingError } from "./draining.ts";
import type { PublishLease, StreamRequest } from "./stream_router.ts";
import type { VhostSettings } from "./vhost_settings.ts";

/** How long a publisher that may have left is given to be noticed, in milliseconds, before another is refused. */
const LEAVING_MS = 200;

/** One message stream of a connection that publishes. */
export class PublishRole {
  readonly kind = "publish";
  readonly stream: LiveStream;
  readonly startedMs: number;
  readonly #held: HeldStream;
  readonly #feed: StreamFeed;
  readonly #lease: PublishLease;
  readonly #leave: Leave;
  readonly #vhost: VhostSettings;
  #lastMessageMs: number;
  #hasMessage = false;
  #lastPlayedMs: number;

  private constructor(
    held: HeldStream,
    feed: StreamFeed,
    lease: PublishLease,
    leave: Leave,
    vhost: VhostSettings,
    nowMs: number,
  ) {
    this.#held = held;
    this.stream = held.stream;
    this.#feed = feed;
    this.#lease = lease;
    this.#leave = leave;
    this.#vhost = vhost;
    this.startedMs = this.#lastMessageMs = this.#lastPlayedMs = nowMs;
  }

  /**
   * Asks whether a stream may be published here, and begins to feed it.
   *
   * @param connectionId Names the publisher in the API.
   * @param stop Ends the publisher later: another takes over, or an origin refuses.
   * @throws {RtmpError} The refusal.
   */
  static async open(
    runtime: ServerRuntime,
    request: StreamRequest,
    connectionId: string,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishRole> {
    if (runtime.isDraining) throw drainingError(`publish '${request.key}'`);
    const leave = await admitAccess(runtime, "publish", request, () => whenFree(runtime, request.key));
    try {
      return await PublishRole.#open(runtime, request, connectionId, stop, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  static async #open(
    runtime: ServerRuntime,
    request: StreamRequest,
    connectionId: string,
    stop: (reason: RtmpError) => void,
    leave: Leave,
  ): Promise<PublishRole> {
    const { hub } = runtime;
    // Others may leave the stream while the answer is awaited: it must stay the one that the hub knows.
    const held = hub.hold(request.key, () => request.vhost.stream);
    const { stream } = held;
    try {
      const lease = await admit(runtime, request, stream, connectionId, stop);
      try {
        const feed = stream.attach({
          kind: "publish",
          id: connectionId,
          startedAtMs: Date.now(),
          stop,
          onLeftOut: (what, error) =>
            runtime.log.warn("Dropped from the stream", {
              connectionId,
              stream: request.key,
              what,
              detail: error.message,
            }),
        });
        return new PublishRole(held, feed, lease, leave, request.vhost, runtime.now());
      } catch (error) {
        lease.release();
        throw error;
      }
    } catch (error) {
      held.release();
      throw error;
    }
  }

  write(message: StreamMessage, nowMs: number): void {
    this.#lastMessageMs = nowMs;
    this.#hasMessage = true;
    this.#feed.write(message, nowMs);
  }

  /** Something that the publisher sent can't be passed on. */
  leaveOut(what: LeftOut, error: RtmpError): void {
    this.#feed.leaveOut(what, error);
  }

  /** @throws {RtmpError} `publish-timeout` or `idle-timeout` when it has had its time. */
  checkTime(nowMs: number): void {
    const { firstPacketTimeoutMs, normalTimeoutMs, idlePublisherTimeoutMs } = this.#vhost;
    const timeoutMs = this.#hasMessage ? normalTimeoutMs : firstPacketTimeoutMs;
    if (nowMs - this.#lastMessageMs > timeoutMs) {
      throw new RtmpError(
        "publish-timeout",
        `Cannot continue publishing: no message received for ${timeoutMs} ms`,
      );
    }
    if (this.stream.playerCount > 0) this.#lastPlayedMs = nowMs;
    if (idlePublisherTimeoutMs > 0 && nowMs - this.#lastPlayedMs > idlePublisherTimeoutMs) {
      throw new RtmpError(
        "idle-timeout",
        `Cannot continue publishing: no player for ${idlePublisherTimeoutMs} ms`,
      );
    }
  }

  /**
   * Leaves the stream to its players and the next publisher.
   *
   * @param isOver Whether the publisher has said that the stream is over.
   */
  close(isOver: boolean = false): void {
    this.#feed.close();
    this.#lease.release(isOver);
    this.#held.release();
    this.#leave();
  }
}

/** Of two who ask at once only the first goes on. */
async function admit(
  runtime: ServerRuntime,
  request: StreamRequest,
  stream: LiveStream,
  connectionId: string,
  stop: (reason: RtmpError) => void,
): Promise<PublishLease> {
  const { options, pendingPublishes } = runtime;
  if (request.vhost.takeover && stream.feed?.kind === "publish") {
    stream.feed.stop?.(
      new RtmpError(
        "taken-over",
        `Cannot continue publishing '${request.key}': ${connectionId} is publishing it now`,
      ),
    );
  }
  const refuseIfBusy = (isBusy: boolean) => {
    if (!isBusy) return;
    const by = stream.feed?.id ?? "another client";
    throw new RtmpError("stream-busy", `Cannot publish '${request.key}': ${by} is publishing it`);
  };
  refuseIfBusy(pendingPublishes.has(request.key));
  pendingPublishes.add(request.key);
  try {
    if (stream.feed?.kind === "publish") await whenLeft(stream, options.clock);
    refuseIfBusy(stream.feed?.kind === "publish");
    return await options.router.admitPublish(request, stream, stop);
  } finally {
    pendingPublishes.delete(request.key);
  }
}

/** An encoder that comes back at once has left before it comes, for all who are told of both. */
async function whenFree({ hub, options: { clock } }: ServerRuntime, key: string): Promise<void> {
  const stream = hub.get(key);
  if (stream?.feed?.kind === "publish") await whenLeft(stream, clock);
}

/** Resolves when a stream's publisher is gone, at the latest after a moment: one that has left may not have been read to its end. */
async function whenLeft(stream: LiveStream, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onFeed = (feed: FeedInfo | undefined) => {
    if (feed === undefined) resolve();
  };
  const timer = clock.setTimer(resolve, LEAVING_MS);
  stream.feedListeners.add(onFeed);
  stream.hurry();
  await promise;
  stream.hurried--;
  stream.feedListeners.delete(onFeed);
  clock.clearTimer(timer);
}
