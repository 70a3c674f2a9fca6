import { RtmpError } from "../base/errors.ts";
import { Histograms } from "../base/histogram.ts";
import { newId } from "../base/random_id.ts";
import { DEFAULT_VHOST } from "../base/stream_address.ts";
import type { Directory } from "../cluster/directory.ts";
import type { Location, StreamLocation } from "../cluster/locator.ts";
import type { OwnedStream } from "../cluster/owned_streams.ts";
import { pause } from "../upstream/pause.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { decideRedirect, mayMove, redirectTo } from "./redirect.ts";
import { RetryPause } from "../upstream/retry_pause.ts";
import { type PullSource, StreamPull } from "../upstream/stream_pull.ts";
import type { StreamQuery } from "../cluster/stream_query.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../upstream/upstream_target.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { askerOf, playLoop, pullOptions } from "./shared_pull.ts";
import {
  type Elsewhere,
  type PlayDecision,
  playHere,
  type PublishLease,
  type StreamRequest,
} from "../server/stream_router.ts";
import type { UsedPull } from "./shared_pulls.ts";
import type { ClusterRole } from "../server/vhost_role.ts";
import { isNode } from "../server/peer_node.ts";
import { refuseLoop, routeOf, upstreamArguments } from "./upstream_identity.ts";
import type { UpstreamRouterOptions } from "./shared_pull.ts";

/** How long TCP to a stream's owner may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 1000;

/** Buckets of how long a search takes, in seconds. */
const LOCATE_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What the router asks of the cluster. */
export type ClusterKnowledge = Pick<
  Directory,
  "locate" | "checkPublish" | "own" | "disown" | "findOther" | "isCoworker" | "letMove"
>;

export interface ClusterRouterOptions extends UpstreamRouterOptions {
  readonly cluster: ClusterKnowledge;
}

/** An origin of a cluster: a stream is here, at a coworker, or nowhere, and that is known before the player is told anything. */
export class ClusterRouter {
  /** How long plays waited to learn where their stream is, in seconds. */
  readonly locateSeconds: Histograms<Location["kind"]> = new Histograms(
    ["mine", "at", "nowhere"],
    LOCATE_BOUNDS_SECONDS,
  );
  readonly #options: ClusterRouterOptions;
  /** Plays that wait for a stream that no node has, by its key: each is told when it is heard of. */
  readonly #waiting = new Map<string, Set<AbortController>>();
  /** How to end the publishers of owned streams, by the connection id that owns. */
  readonly #stops = new Map<string, (reason: RtmpError) => void>();

  constructor(options: ClusterRouterOptions) {
    this.#options = options;
  }

  /** Another node's claim to a stream holds: its publisher here is told why, and ended. */
  lose(stream: OwnedStream, reason: RtmpError): void {
    this.#stops.get(stream.connectionId)?.(reason);
  }

  /** A stream has been published, here or at another node: plays that wait for it ask at once. */
  hear(key: string): void {
    for (const heard of this.#waiting.get(key) ?? []) heard.abort();
  }

  async admitPlay(request: StreamRequest, role: ClusterRole): Promise<PlayDecision> {
    const { streams, pulls } = this.#options;
    const feed = streams.hub.get(request.key)?.feed;
    // Another node looks for the stream by itself when it is lost here.
    if (feed?.kind === "publish") {
      return isNode(request.connect) ? playHere(streams.hub, request) : this.#keep(request, role);
    }
    if (pulls.isLoop(routeOf(request.connect))) throw playLoop(request.key);
    const decision = decideRedirect(role.redirect, request.connect);
    if (feed !== undefined && decision === "relay") return this.#keep(request, role);
    const location = await this.#locate(request, role.waitMs);
    if (location.kind === "mine") return playHere(streams.hub, request);
    if (location.kind === "nowhere") {
      throw new RtmpError("stream-not-found", `Cannot play '${request.key}': no node in the cluster has it`);
    }
    if (decision === "relay" || location.isDraining) return await this.#relay(request, role, location);
    const { ip, port } = location;
    // The vhost is as the owner says: it may know the stream by another one (ossrs/srs #1680).
    return redirectTo(decision, request, { ip, port, vhost: location.vhost || request.vhost.name });
  }

  /** Where a client may go on when this node stops; see `StreamRouter`. */
  elsewhere(request: StreamRequest, kind: "publish" | "play", role: ClusterRole): Elsewhere | undefined {
    const { cluster } = this.#options;
    const { connect, vhost, key } = request;
    if (role.redirect === "relay" || connect === undefined) return undefined;
    // A coworker that relays for its players: the stream is nowhere else, and it looks for it by itself when it moves.
    const nodeId = connect.argumentsObject?.getString("headwater_node");
    if (kind === "play" && nodeId !== undefined && cluster.isCoworker(nodeId)) return undefined;
    const decision = kind === "play"
      ? decideRedirect("auto", connect)
      : mayMove(connect)
      ? "reconnect"
      : "relay";
    if (decision === "relay") return undefined;
    const other = cluster.findOther(vhost.name);
    if (other === undefined) return undefined;
    if (kind === "publish") cluster.letMove(key);
    return redirectTo(decision, request, { ip: other.host, port: other.port, vhost: vhost.name });
  }

  async admitPublish(
    request: StreamRequest,
    _stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease> {
    const { identity, cluster, randomBytes } = this.#options;
    refuseLoop(identity, request.connect, request.key);
    const { publishedAtMs } = await cluster.checkPublish(queryOf(request), request.signal);
    const { vhost, address, key } = request;
    const connectionId = newId(randomBytes);
    this.#stops.set(connectionId, stop);
    try {
      const { app, stream } = address;
      await cluster.own({ vhost: vhost.name, app, stream, publishedAtMs, connectionId });
    } catch (error) {
      this.#stops.delete(connectionId);
      throw error;
    }
    this.hear(key);
    return {
      release: () => {
        this.#stops.delete(connectionId);
        cluster.disown(key, connectionId);
      },
    };
  }

  /** Asks again, more and more seldom, until the stream is found or heard of, or `waitMs` is over. */
  async #locate(request: StreamRequest, waitMs: number): Promise<Location> {
    const { clock, cluster, streams } = this.#options;
    const deadlineMs = clock.now() + waitMs;
    const retry = new RetryPause();
    for (;;) {
      const startMs = clock.now();
      const location = await cluster.locate(queryOf(request), request.signal);
      const nowMs = clock.now();
      this.locateSeconds.observe(location.kind, (nowMs - startMs) / 1000);
      if (location.kind !== "nowhere" || nowMs >= deadlineMs) return location;
      await this.#waitFor(request, Math.min(retry.next(nowMs), deadlineMs - nowMs));
      if (request.signal.aborted) return location;
      if (streams.hub.get(request.key)?.feed?.kind === "publish") return { kind: "mine" };
    }
  }

  /** Waits until the stream is heard of, but no longer than that. */
  async #waitFor({ key, signal }: StreamRequest, ms: number): Promise<void> {
    const heard = new AbortController();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(heard));
    try {
      await pause(this.#options.clock, ms, AbortSignal.any([signal, heard.signal]));
    } finally {
      waiting.delete(heard);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }

  /** Serves a stream that is here, and goes on looking for it when its publisher moves to another node. */
  #keep(request: StreamRequest, role: ClusterRole): PlayDecision {
    const { stream, release } = this.#acquire(request, askerOf(request), role);
    return { kind: "local", stream, release };
  }

  /** Serves a coworker's stream through this node: ready when its first media is here. */
  async #relay(
    request: StreamRequest,
    role: ClusterRole,
    location: StreamLocation,
  ): Promise<PlayDecision> {
    const asker = askerOf(request);
    const { pull, stream, release } = this.#acquire(request, asker, role, location);
    try {
      await pull.whenFound(asker, request.signal);
    } catch (error) {
      release();
      throw error;
    }
    return { kind: "local", stream, release };
  }

  /** @param location Where the stream was found just now: a pull that is opened for it does not search again. */
  #acquire(
    request: StreamRequest,
    asker: PullAsker,
    role: ClusterRole,
    location?: StreamLocation,
  ): UsedPull {
    const { streams, pulls } = this.#options;
    const stream = streams.hub.open(request.key, () => request.vhost.stream);
    return pulls.acquire(
      stream,
      role.lingerMs,
      asker,
      () => this.#openPull(request, asker, stream, location),
    );
  }

  #openPull(
    request: StreamRequest,
    asker: PullAsker,
    stream: LiveStream,
    location: StreamLocation | undefined,
  ): StreamPull {
    const { identity, limits, randomBytes } = this.#options;
    return new StreamPull({
      ...pullOptions(this.#options, request, stream),
      asker,
      source: this.#source(request, location),
      session: ({ pageUrl, swfUrl }, route) => ({
        pageUrl,
        swfUrl,
        argumentsObject: upstreamArguments(identity, route, true),
        vouch: this.#options.vouch(request.vhost.name, "play"),
        limits: limits(),
        randomBytes,
      }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      firstMediaTimeoutMs: CONNECT_TIMEOUT_MS,
    });
  }

  #source(request: StreamRequest, found: StreamLocation | undefined): PullSource {
    const { address, vhost } = request;
    let known = found;
    const locate = (signal: AbortSignal) => this.#options.cluster.locate(queryOf(request), signal);
    return {
      hasMoved: async ({ address: { hostname, port } }, signal) => {
        const location = await locate(signal);
        return location.kind === "at" && (location.ip !== hostname || location.port !== port);
      },
      targets: async ({ parameters }, signal) => {
        const location: Location = known ?? await locate(signal);
        known = undefined;
        if (location.kind !== "at") return [];
        const { ip, port, answeredAt } = location;
        const ownersVhost = location.vhost || vhost.name;
        const host = ownersVhost === DEFAULT_VHOST ? ip : ownersVhost;
        const target: UpstreamTarget = {
          address: { hostname: ip, port },
          // What a node advertises to players may not resolve, or not lead back to it, from here.
          ...(ip === answeredAt ? {} : { fallback: { hostname: answeredAt, port } }),
          tcUrl: upstreamTcUrl(host, port, address.app),
          app: address.app,
          streamName: address.stream + parameters,
        };
        return [target];
      },
      tried: () => {},
    };
  }
}

function queryOf(request: StreamRequest): StreamQuery {
  const { address, vhost } = request;
  return { vhost: vhost.name, app: address.app, stream: address.stream, host: address.host };
}
