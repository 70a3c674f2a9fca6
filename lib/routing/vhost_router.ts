import type { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type {
  Elsewhere,
  PlayDecision,
  PublishLease,
  StreamRequest,
  StreamRouter,
} from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

/** Hands each request to the router of its vhost's role: lone origin, origin of a cluster, or edge. */
export class VhostRouter implements StreamRouter {
  readonly #routerOf: (vhost: string) => StreamRouter;

  /** @param routerOf As configured now. */
  constructor(routerOf: (vhost: string) => StreamRouter) {
    this.#routerOf = routerOf;
  }

  async admitConnect(connect: ConnectInfo, address: StreamAddress, vhost: VhostSettings): Promise<void> {
    await this.#routerOf(vhost.name).admitConnect(connect, address, vhost);
  }

  async admitPlay(request: StreamRequest): Promise<PlayDecision> {
    return await this.#routerOf(request.vhost.name).admitPlay(request);
  }

  async admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease> {
    return await this.#routerOf(request.vhost.name).admitPublish(request, stream, stop);
  }

  elsewhere(request: StreamRequest, role: "publish" | "play"): Elsewhere | undefined {
    return this.#routerOf(request.vhost.name).elsewhere?.(request, role);
  }
}
