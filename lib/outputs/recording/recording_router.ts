import type { RtmpError } from "../../base/errors.ts";
import type { StreamAddress } from "../../base/stream_address.ts";
import type { LiveStream } from "../../hub/live_stream.ts";
import type {
  Elsewhere,
  PlayDecision,
  PublishLease,
  StreamRequest,
  StreamRouter,
} from "../../server/stream_router.ts";
import type { VhostSettings } from "../../server/vhost_settings.ts";
import type { ConnectInfo } from "../../wire/commands.ts";
import type { Recordings } from "./recordings.ts";

/** Another router, whose publishes are recorded. */
export class RecordingRouter implements StreamRouter {
  readonly #router: StreamRouter;
  readonly #recordings: Recordings;

  constructor(router: StreamRouter, recordings: Recordings) {
    this.#router = router;
    this.#recordings = recordings;
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
    const end = this.#recordings.begin(request, stream);
    return {
      release: (isOver = false) => {
        end();
        lease.release(isOver);
      },
    };
  }

  elsewhere(request: StreamRequest, role: "publish" | "play"): Elsewhere | undefined {
    return this.#router.elsewhere?.(request, role);
  }
}
