import { RtmpError } from "../base/errors.ts";
import { playedNames } from "../base/stream_names.ts";
import { parseStreamAddress } from "../base/stream_address.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import { requestKey } from "./requested_vhost.ts";
import type { AccessClient } from "../access/access_request.ts";
import type { ServerRuntimeOptions } from "./server_runtime.ts";
import type { StreamRequest } from "./stream_router.ts";

/** Who asks. */
export interface Requester {
  readonly connect: ConnectInfo | undefined;
  readonly ip: string;
  readonly client: AccessClient;
  readonly signal: AbortSignal;
}

/**
 * What an RTMP client asks for by a name.
 *
 * @param name As sent; without one the tcUrl's last segment is the stream, as for a name of parameters alone.
 * @throws {RtmpError} `bad-tc-url`, `bad-stream-name` or `vhost-not-found`.
 */
export function streamRequest(
  options: ServerRuntimeOptions,
  requester: Requester,
  name: string,
): StreamRequest {
  const { findVhost, limits } = options;
  const { connect, ip, client, signal } = requester;
  const address = parseStreamAddress(connect?.tcUrl ?? "", name || "?", limits().streamKeyMaxBytes);
  if (address.stream === "") {
    throw new RtmpError("bad-stream-name", "Cannot publish or play: the stream name is empty");
  }
  const vhost = findVhost(address.vhost);
  if (vhost === undefined) {
    throw new RtmpError(
      "vhost-not-found",
      `Cannot find vhost '${address.vhost}': it is not configured, and there is no default vhost`,
    );
  }
  return { address, vhost, key: requestKey(vhost, address), connect, ip, client, signal };
}

/**
 * What an RTMP player may mean by a name, the likeliest first; at least one.
 *
 * @throws {RtmpError} As `streamRequest` does for the name as sent.
 */
export function playRequests(
  options: ServerRuntimeOptions,
  requester: Requester,
  name: string,
): StreamRequest[] {
  const requests = [streamRequest(options, requester, name)];
  for (const other of playedNames(name).slice(1)) {
    try {
      const request = streamRequest(options, requester, other);
      if (requests.every(({ key }) => key !== request.key)) requests.push(request);
    } catch (error) {
      // A name that can't be one is not what was meant.
      if (!(error instanceof RtmpError)) throw error;
    }
  }
  return requests;
}
