import { RtmpError } from "../base/errors.ts";
import { DEFAULT_VHOST, type StreamAddress } from "../base/stream_address.ts";
import type { PullAsker } from "../upstream/pull_askers.ts";
import { type PullSource, StreamPull } from "../upstream/stream_pull.ts";
import { type PushSource, StreamPush } from "../upstream/stream_push.ts";
import { UpstreamConnection, type UpstreamSession } from "../upstream/upstream_connection.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../upstream/upstream_target.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import { requestedVhost } from "../server/requested_vhost.ts";
import { EdgeVhost } from "./edge_vhost.ts";
import { askerOf, playLoop, pullOptions } from "./shared_pull.ts";
import type { PlayDecision, PublishLease, StreamRequest } from "../server/stream_router.ts";
import { clientArguments, refuseLoop, routeOf, upstreamArguments } from "./upstream_identity.ts";
import type { UpstreamRouterOptions } from "./shared_pull.ts";
import type { EdgeRole } from "../server/vhost_role.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

/** How long TCP to an origin may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 1000;
/** How long an origin may take until media while there are others, in milliseconds. */
const FIRST_MEDIA_TIMEOUT_MS = 2000;
/** How long token traverse may take at one origin, in milliseconds; SRS's. */
const TRAVERSE_TIMEOUT_MS = 3000;

/** An edge: plays are pulled from an origin, publishes are pushed to one. */
export class EdgeRouter {
  readonly #options: UpstreamRouterOptions;
  readonly #vhosts = new Map<string, EdgeVhost>();

  constructor(options: UpstreamRouterOptions) {
    this.#options = options;
  }

  /** Takes what vhosts are now, for what has been begun. */
  reload(vhosts: Iterable<VhostSettings>): void {
    for (const { name, role } of vhosts) {
      if (role.kind === "edge") this.#vhosts.get(name)?.reload(role);
    }
  }

  async admitConnect(
    connect: ConnectInfo,
    address: StreamAddress,
    vhost: VhostSettings,
    role: EdgeRole,
  ): Promise<void> {
    if (role.tokenTraverse) await this.#traverse(connect, address, vhost.name, role);
  }

  admitPlay(request: StreamRequest, role: EdgeRole): Promise<PlayDecision> {
    const { streams, pulls } = this.#options;
    const isPublished = streams.hub.get(request.key)?.feed?.kind === "publish";
    if (!isPublished && pulls.isLoop(routeOf(request.connect))) throw playLoop(request.key);
    const stream = streams.hub.open(request.key, () => request.vhost.stream);
    const asker = askerOf(request);
    const vhost = this.#vhost(request.vhost.name, role);
    const { release } = pulls.acquire(
      stream,
      role.lingerMs,
      asker,
      () => this.#openPull(request, asker, stream, vhost),
    );
    return Promise.resolve({ kind: "local", stream, release, waitMs: role.streamWaitMs });
  }

  async admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
    role: EdgeRole,
  ): Promise<PublishLease> {
    const { streams, identity, dial, clock, traffic } = this.#options;
    refuseLoop(identity, request.connect, request.key);
    const vhost = this.#vhost(request.vhost.name, role);
    const push = new StreamPush({
      stream,
      dial,
      clock,
      traffic: traffic.of(request.vhost.name),
      source: this.#pushSource(request, vhost),
      session: {
        ...this.#session(askerOf(request), [...routeOf(request.connect), identity.nodeId], vhost),
        vouch: this.#options.vouch(request.vhost.name, "publish"),
      },
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

  #vhost(name: string, role: EdgeRole): EdgeVhost {
    let vhost = this.#vhosts.get(name);
    if (vhost === undefined) {
      const { pulls, traffic } = this.#options;
      vhost = new EdgeVhost({
        ...this.#options,
        role,
        traffic: traffic.of(name),
        onAlive: () => pulls.hurry(),
      });
      this.#vhosts.set(name, vhost);
    }
    return vhost;
  }

  #openPull(
    request: StreamRequest,
    asker: PullAsker,
    stream: LiveStream,
    vhost: EdgeVhost,
  ): StreamPull {
    return new StreamPull({
      ...pullOptions(this.#options, request, stream),
      asker,
      source: this.#source(request, vhost),
      session: (asker, route) => ({
        ...this.#session(asker, route, vhost),
        vouch: this.#options.vouch(request.vhost.name, "play"),
      }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      firstMediaTimeoutMs: FIRST_MEDIA_TIMEOUT_MS,
    });
  }

  #session(asker: PullAsker, route: readonly string[], vhost: EdgeVhost): UpstreamSession {
    const { identity, limits, randomBytes } = this.#options;
    return {
      pageUrl: asker.pageUrl,
      swfUrl: asker.swfUrl,
      argumentsObject: upstreamArguments(identity, route, vhost.role.debugUpnode),
      limits: limits(),
      randomBytes,
    };
  }

  #pushSource(request: StreamRequest, vhost: EdgeVhost): PushSource {
    const source = this.#source(request, vhost, true);
    return { ...source, targets: (signal) => source.targets(askerOf(request), signal) };
  }

  /** @param isBold At first also origins that could not be reached are tried when there are no others. */
  #source({ address, key, vhost: { name } }: StreamRequest, vhost: EdgeVhost, isBold = false): PullSource {
    let mayInsist = isBold;
    return {
      // deno-lint-ignore require-await -- what it throws is to reject
      targets: async ({ parameters }) => {
        const insists = mayInsist;
        mayInsist = false;
        return vhost.choose(key, insists).map((origin): UpstreamTarget => {
          const vhostThere = vhostAtOrigin(vhost.role.vhostTemplate, name, address) ?? origin.hostname;
          return {
            address: origin,
            tcUrl: upstreamTcUrl(vhostThere, origin.port, address.app, origin.isSecure),
            app: address.app,
            streamName: address.stream + parameters,
          };
        });
      },
      tried: (target, error) => vhost.tried(target.address, error),
    };
  }

  /** Token traverse: the first origin that can be reached says whether the client may connect. */
  async #traverse(
    connect: ConnectInfo,
    address: StreamAddress,
    vhost: string,
    { origins }: EdgeRole,
  ): Promise<void> {
    const { dial, clock, limits, randomBytes } = this.#options;
    for (const origin of origins) {
      let isAccepted = false;
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
          if (event.kind !== "connected") return;
          isAccepted = true;
          connection.close();
        },
      });
      const timer = clock.setTimer(() => connection.close(), TRAVERSE_TIMEOUT_MS);
      const error = await connection.run();
      clock.clearTimer(timer);
      if (isAccepted) return;
      // Unreachable: the next one decides. Closed without a word: that is how SRS refuses.
      if (error !== undefined && error.code !== "unreachable") {
        throw new RtmpError("unauthorized", `The origin refused the connection: ${error.message}`, {
          cause: error,
        });
      }
    }
    throw new RtmpError("token-refused", "Cannot ask an origin to admit the client: no origin is reachable");
  }
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
