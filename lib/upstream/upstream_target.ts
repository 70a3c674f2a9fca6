import { parseStreamAddress } from "../base/stream_address.ts";
import type { SocketAddress } from "../net/tcp.ts";

/** Where a stream is pulled from or pushed to. */
export interface UpstreamTarget {
  readonly address: SocketAddress;
  /** Dialled when that can't be reached. */
  readonly fallback?: SocketAddress;
  readonly tcUrl: string;
  readonly app: string;
  /** With parameters. */
  readonly streamName: string;
}

/**
 * The target that a redirect names. Only host and port count, as for SRS's edge: app, stream and parameters stay those that were
 * asked for.
 *
 * @throws {RtmpError} `bad-tc-url` when it is no RTMP URL.
 */
export function redirectedTarget(target: UpstreamTarget, url: string): UpstreamTarget {
  const { host, port } = parseStreamAddress(url, "");
  const asked = parseStreamAddress(target.tcUrl, "");
  const { app, streamName } = target;
  return { address: { hostname: host, port }, tcUrl: upstreamTcUrl(asked.host, port, app), app, streamName };
}

/** `rtmp://vhost[:port]/app`: the vhost travels as the host, the TCP target is another matter (FACTS C.4, E.4). */
export function upstreamTcUrl(vhostOrHost: string, port: number, app: string): string {
  const host = vhostOrHost.includes(":") ? `[${vhostOrHost}]` : vhostOrHost;
  return `rtmp://${host}${port === 1935 ? "" : `:${port}`}/${app}`;
}
