import { RtmpError } from "../base/errors.ts";
import { DEFAULT_VHOST, type StreamAddress } from "../base/stream_address.ts";
import { OriginPool } from "../upstream/origin_pool.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { type PullSource, StreamPull } from "../upstream/stream_pull.ts";
import { type PushSource, StreamPush } from "../upstream/stream_push.ts";
import { refusalError, UpstreamConnection, type UpstreamSession } from "../upstream/upstream_connection.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../upstream/upstream_target.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { SocketAddress } from "../net/tcp.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import { requestedVhost } from "../server/requested_vhost.ts";
import { askerOf, playLoop, pullOptions } from "./shared_pull.ts";
import type { PlayDecision, PublishLease, StreamRequest, StreamRouter } from "../server/stream_router.ts";
import { clientArguments, refuseLoop, routeOf, upstreamArguments } from "./upstream_identity.ts";
import type { UpstreamRouterOptions } from "./upstream_router_options.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

/** How long TCP to an origin may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 1000;
/** How long an origin may take until media while there are others, in milliseconds. */
const FIRST_MEDIA_TIMEOUT_MS = 2000;
/** How long token traverse may take at one origin, in milliseconds; SRS's. */
const TRAVERSE_TIMEOUT_MS = 3000;

/** The edge part of one vhost's configuration. */
export interface EdgeSettings {
  readonly origins: readonly SocketAddress[];
  /** The vhost at the origin; `[vhost]` stands for ours. */
  readonly vhostTemplate: string;
  readonly tokenTraverse: boolean;
  readonly debugUpnode: boolean;
  /** How long a pull stays after its last player, in milliseconds. */
  readonly lingerMs: number;
  /** How long a player may wait for a stream that no origin has, in milliseconds; 0: for ever. */
  readonly streamWaitMs: number;
}

export interface EdgeRouterOptions extends UpstreamRouterOptions {
  readonly settings: (vhost: string) => EdgeSettings | undefined;
}

/** An edge: plays are pulled from an origin, publishes are pushed to one. */
export class EdgeRouter implements StreamRouter {
  readonly #options: EdgeRouterOptions;
  readonly #pools = new Map<string, OriginPool>();

  constructor(options: EdgeRouterOptions) {
    this.#options = options;
  }

  async admitConnect(connect: ConnectInfo, address: StreamAddress, vhost: VhostSettings): Promise<void> {
    const settings = this.#settings(vhost.name);
    if (settings.tokenTraverse) await this.#traverse(connect, address, vhost.name, settings);
  }

  admitPlay(request: StreamRequest): Promise<PlayDecision> {
    const { streams, pulls } = this.#options;
    const settings = this.#settings(request.vhost.name);
    const isPublished = streams.hub.get(request.key)?.feed?.kind === "publish";
    if (!isPublished && pulls.isLoop(routeOf(request.connect))) throw playLoop(request.key);
    const stream = streams.hub.open(request.key, () => request.vhost.stream);
    const asker = askerOf(request);
    const { release } = pulls.acquire(
      stream,
      settings.lingerMs,
      asker,
      () => this.#openPull(request, asker, stream, settings),
    );
    return Promise.resolve({ kind: "local", release, waitMs: settings.streamWaitMs });
  }

  async admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease> {
    const { streams, identity, dial, clock, traffic } = this.#options;
    refuseLoop(identity, request.connect, request.key);
    const settings = this.#settings(request.vhost.name);
    const push = new StreamPush({
      stream,
      dial,
      clock,
      traffic: traffic.of(request.vhost.name),
      source: this.#pushSource(request, settings),
      session: this.#session(askerOf(request), [...routeOf(request.connect), identity.nodeId], settings),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      onBehind: (cursor) => streams.scheduler(stream.options.gatherMs).markDirty(cursor.output),
      onRefused: stop,
    });
    try {
      await push.ready;
    } catch (error) {
      push.close();
      throw error;
    }
    return { release: () => push.close() };
  }

  /**
   * As configured now, so that a reload counts for what is being pulled.
   *
   * @param first For a vhost that is no longer an edge, where what was begun goes on.
   */
  #settings(vhost: string, first?: EdgeSettings): EdgeSettings {
    const settings = this.#options.settings(vhost) ?? first;
    if (settings === undefined) {
      throw new RtmpError("vhost-not-found", `Vhost '${vhost}' is no longer an edge`);
    }
    return settings;
  }

  #pool(vhost: string, settings: EdgeSettings): OriginPool {
    let pool = this.#pools.get(vhost);
    if (pool === undefined) {
      pool = new OriginPool(
        settings.origins,
        this.#options.clock,
        (origin) => this.#answers(origin, vhost),
        () => this.#options.pulls.hurry(),
      );
      this.#pools.set(vhost, pool);
    }
    // As configured now: origins can be reloaded.
    pool.setOrigins(settings.origins);
    return pool;
  }

  /** Whether an origin answers a handshake. */
  async #answers(origin: SocketAddress, vhost: string): Promise<boolean> {
    const { dial, clock, limits, randomBytes } = this.#options;
    let hasAnswered = false;
    const connection: UpstreamConnection = new UpstreamConnection({
      dial,
      clock,
      traffic: this.#options.traffic.of(vhost),
      purpose: "connect",
      target: {
        address: origin,
        tcUrl: upstreamTcUrl(origin.hostname, origin.port, ""),
        app: "",
        streamName: "",
      },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      session: { pageUrl: "", swfUrl: "", argumentsObject: undefined, limits: limits(), randomBytes },
      onEvent: () => {},
      onAnswer: () => {
        hasAnswered = true;
        connection.close();
      },
    });
    await connection.run();
    return hasAnswered;
  }

  #openPull(
    request: StreamRequest,
    asker: PullAsker,
    stream: LiveStream,
    settings: EdgeSettings,
  ): StreamPull {
    return new StreamPull({
      ...pullOptions(this.#options, request, stream),
      asker,
      source: this.#source(request, settings),
      session: (asker, route) => this.#session(asker, route, this.#settings(request.vhost.name, settings)),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      firstMediaTimeoutMs: FIRST_MEDIA_TIMEOUT_MS,
    });
  }

  #session(asker: PullAsker, route: readonly string[], settings: EdgeSettings): UpstreamSession {
    const { identity, limits, randomBytes } = this.#options;
    return {
      pageUrl: asker.pageUrl,
      swfUrl: asker.swfUrl,
      argumentsObject: upstreamArguments(identity, route, settings.debugUpnode),
      limits: limits(),
      randomBytes,
    };
  }

  #pushSource(request: StreamRequest, first: EdgeSettings): PushSource {
    const source = this.#source(request, first, true);
    return { ...source, targets: (signal) => source.targets(askerOf(request), signal) };
  }

  /** @param isBold At first also origins that could not be reached are tried when there are no others. */
  #source(request: StreamRequest, first: EdgeSettings, isBold = false): PullSource {
    const { address, vhost, key } = request;
    const settings = () => this.#settings(vhost.name, first);
    const origins = new Map<UpstreamTarget, SocketAddress>();
    let mayInsist = isBold;
    const choose = () => {
      const pool = this.#pool(vhost.name, settings());
      const candidates = pool.candidates(key);
      if (candidates.length > 0 || !mayInsist) return candidates;
      return pool.all(key);
    };
    return {
      targets: ({ parameters }) => {
        const { vhostTemplate } = settings();
        origins.clear();
        for (const origin of choose()) {
          origins.set({
            address: origin,
            tcUrl: upstreamTcUrl(
              vhostAtOrigin(vhostTemplate, vhost.name, address) ?? origin.hostname,
              origin.port,
              address.app,
            ),
            app: address.app,
            streamName: address.stream + parameters,
          }, origin);
        }
        mayInsist = false;
        if (origins.size === 0) return Promise.reject(noOrigin(key, settings()));
        return Promise.resolve([...origins.keys()]);
      },
      tried: (target, error) => {
        const origin = origins.get(target);
        if (origin !== undefined) this.#pool(vhost.name, settings()).tried(origin, error);
      },
    };
  }

  /** Token traverse: the first origin that can be reached says whether the client may connect. */
  async #traverse(
    connect: ConnectInfo,
    address: StreamAddress,
    vhost: string,
    settings: EdgeSettings,
  ): Promise<void> {
    const { dial, clock, limits, randomBytes } = this.#options;
    for (const origin of settings.origins) {
      let verdict: RtmpError | "accepted" | undefined;
      const connection: UpstreamConnection = new UpstreamConnection({
        dial,
        clock,
        traffic: this.#options.traffic.of(vhost),
        purpose: "connect",
        target: {
          address: origin,
          tcUrl: connect.tcUrl,
          app: connect.app || address.app,
          streamName: "",
        },
        connectTimeoutMs: TRAVERSE_TIMEOUT_MS,
        session: {
          pageUrl: connect.pageUrl,
          swfUrl: connect.swfUrl,
          argumentsObject: clientArguments(connect),
          limits: limits(),
          randomBytes,
        },
        onEvent: (event) => {
          if (event.kind === "connected") verdict = "accepted";
          else if (event.kind === "refused") verdict = refusalError(event.code, event.description);
          if (verdict !== undefined) connection.close();
        },
      });
      const timer = clock.setTimer(() => connection.close(), TRAVERSE_TIMEOUT_MS);
      const error = await connection.run();
      clock.clearTimer(timer);
      // Unreachable: the next one decides. Closed without a word: that is how SRS refuses.
      if (error?.code !== "unreachable") verdict ??= error;
      if (verdict === "accepted") return;
      if (verdict !== undefined) {
        throw new RtmpError("unauthorized", `The origin refused the connection: ${verdict.message}`, {
          cause: verdict,
        });
      }
    }
    throw new RtmpError("token-refused", "Cannot ask an origin to admit the client: no origin is reachable");
  }
}

function noOrigin(key: string, { origins }: EdgeSettings): RtmpError {
  return origins.length === 0
    ? new RtmpError("no-origin", `Cannot relay '${key}': no origin is configured`)
    : new RtmpError("unreachable", `Cannot relay '${key}': no origin is reachable`);
}

/**
 * The vhost to ask an origin for. Undefined for the default one of a request that names none: whichever address it came to, the
 * origin is asked as by who dials it.
 */
function vhostAtOrigin(template: string, vhost: string, address: StreamAddress): string | undefined {
  const name = vhost === DEFAULT_VHOST ? requestedVhost(address) : vhost;
  if (name === undefined && template === "[vhost]") return undefined;
  return template.replaceAll("[vhost]", name ?? vhost);
}
