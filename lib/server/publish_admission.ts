import type { Clock } from "../base/clock.ts";
import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { FeedInfo, StreamFeed } from "../hub/stream_feed.ts";
import { admitAccess } from "./admit_access.ts";
import { drainingError } from "./draining.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { PublishLease, StreamRequest } from "./stream_router.ts";

/** How long a publisher that may have left is given to be noticed, in milliseconds, before another is refused. */
const LEAVING_MS = 200;

/** What a publisher has until it leaves, which `release` says: it ends the feed, too. */
export interface AdmittedPublish extends PublishLease {
  readonly stream: LiveStream;
  readonly feed: StreamFeed;
}

/**
 * Asks whether a stream may be published here, and attaches a feed to it.
 *
 * @param connectionId Names the publisher in the API.
 * @param stop Ends the publisher later: another takes over, or an origin refuses.
 * @throws {RtmpError} The refusal.
 */
export async function admitPublish(
  runtime: ServerRuntime,
  request: StreamRequest,
  connectionId: string,
  stop: (reason: RtmpError) => void,
): Promise<AdmittedPublish> {
  if (runtime.isDraining) throw drainingError(`publish '${request.key}'`);
  // What there is to undo, the last thing first.
  const undo: ((isOver: boolean) => void)[] = [];
  const release = (isOver: boolean = false) => {
    for (const step of undo.splice(0).reverse()) step(isOver);
  };
  try {
    undo.push(await admitAccess(runtime, "publish", request, () => whenFree(runtime, request.key)));
    // Others may leave the stream while the answer is awaited: it must stay the one that the hub knows.
    const held = runtime.hub.hold(request.key, () => request.vhost.stream);
    undo.push(held.release);
    const { stream } = held;
    const lease = await admit(runtime, request, stream, connectionId, stop);
    undo.push((isOver) => lease.release(isOver));
    const feed = attach(runtime, stream, connectionId, stop);
    undo.push(() => feed.close());
    return { stream, feed, release };
  } catch (error) {
    release();
    throw error;
  }
}

function attach(
  { log, options: { clock } }: ServerRuntime,
  stream: LiveStream,
  connectionId: string,
  stop: (reason: RtmpError) => void,
): StreamFeed {
  return stream.attach({
    kind: "publish",
    id: connectionId,
    startedAtMs: clock.wallNow(),
    stop,
    onLeftOut: (what, error) =>
      log.warn("Dropped from the stream", { connectionId, stream: stream.key, what, detail: error.message }),
  });
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
