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
import type { ClusterRouter } from "./cluster_router.ts";
import type { EdgeRouter } from "./edge_router.ts";

/** Who decides for vhosts of each role. */
export interface RoleRouters {
  readonly lone: StreamRouter;
  readonly cluster: ClusterRouter;
  readonly edge: EdgeRouter;
}

/** Hands each request to the router of its vhost's role. */
export class VhostRouter implements StreamRouter {
  readonly #routers: RoleRouters;

  constructor(routers: RoleRouters) {
    this.#routers = routers;
  }

  admitConnect(connect: ConnectInfo, address: StreamAddress, vhost: VhostSettings): Promise<void> {
    const { lone, edge } = this.#routers;
    const { role } = vhost;
    if (role.kind === "edge") return edge.admitConnect(connect, address, vhost, role);
    return lone.admitConnect(connect, address, vhost);
  }

  async admitPlay(request: StreamRequest): Promise<PlayDecision> {
    const { lone, cluster, edge } = this.#routers;
    const { role } = request.vhost;
    switch (role.kind) {
      case "lone":
        return await lone.admitPlay(request);
      case "cluster":
        return await cluster.admitPlay(request, role);
      case "edge":
        return await edge.admitPlay(request, role);
      default:
        return role satisfies never;
    }
  }

  async admitPublish(
    request: StreamRequest,
    stream: LiveStream,
    stop: (reason: RtmpError) => void,
  ): Promise<PublishLease> {
    const { lone, cluster, edge } = this.#routers;
    const { role } = request.vhost;
    switch (role.kind) {
      case "lone":
        return await lone.admitPublish(request, stream, stop);
      case "cluster":
        return await cluster.admitPublish(request, stream, stop);
      case "edge":
        return await edge.admitPublish(request, stream, stop, role);
      default:
        return role satisfies never;
    }
  }

  elsewhere(request: StreamRequest, kind: "publish" | "play"): Elsewhere | undefined {
    const { role } = request.vhost;
    return role.kind === "cluster" ? this.#routers.cluster.elsewhere(request, kind, role) : undefined;
  }
}
