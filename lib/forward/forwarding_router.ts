import type { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type {
  Elsewhere,
  PlayDecision,
  PublishLease,
  StreamRequest,
  StreamRouter,
} from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { Forwards } from "./forwards.ts";

/** Another router, whose publishes are forwarded to other servers too. */
export class ForwardingRouter implements StreamRouter {
  readonly #router: StreamRouter;
  readonly #forwards: Forwards;

  constructor(router: StreamRouter, forwards: Forwards) {
    this.#router = router;
    this.#forwards = forwards;
  }

  admitConnect(connect: ConnectInfo, address: StreamAddress, vhost: VhostSettings): Promise<void> {
    return this.#router.admitConnect(connect, address, vhost);
  }

  admitPlay(request: StreamRequest): Promise<PlayDecision> {
    return this.#router.admitPlay(request);
  }

  async admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease> {
    const lease = await this.#router.admitPublish(request, stream, stop);
    const end = this.#forwards.begin(request, stream);
    return {
      release: (isOver = false) => {
        end(isOver);
        lease.release(isOver);
      },
    };
  }

  elsewhere(request: StreamRequest, role: "publish" | "play"): Elsewhere | undefined {
    return this.#router.elsewhere?.(request, role);
  }
}
