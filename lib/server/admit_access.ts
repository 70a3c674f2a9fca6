import type { Leave } from "../access/access_check.ts";
import type { AccessAction } from "../access/access_request.ts";
import { vouchedBy } from "./peer_node.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { StreamRequest } from "./stream_router.ts";

/**
 * Asks access control whether a request may pass: the one place, for everything that is published or played by whatever protocol.
 *
 * @param whenFree Of a publish: see `AccessRequest`.
 * @returns To be called once, when the client has stopped, or could not begin.
 * @throws {RtmpError} The refusal.
 */
export function admitAccess(
  { options: { access } }: ServerRuntime,
  action: AccessAction,
  { address, vhost, key, connect, ip, signal, client }: StreamRequest,
  whenFree?: () => Promise<void>,
): Promise<Leave> {
  return access.admit({
    ...client,
    action,
    ip,
    vhost: vhost.name,
    app: address.app,
    stream: address.stream,
    streamKey: key,
    parameters: address.parameters,
    vouched: vouchedBy(connect, vhost.clusterSecret, action),
    signal,
    ...(whenFree === undefined ? {} : { whenFree }),
  });
}
