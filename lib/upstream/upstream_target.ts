import { parseStreamAddress } from "../base/stream_address.ts";
import { hostAndPort } from "../base/host_port.ts";
import type { DialAddress } from "../net/tcp.ts";

/** Where a stream is pulled from or pushed to. */
export interface UpstreamTarget {
  readonly address: DialAddress;
  /** Dialled when that can't be reached. */
  readonly fallback?: DialAddress;
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
  const { host, port, scheme } = parseStreamAddress(url, "");
  const isSecure = scheme === "rtmps";
  const asked = parseStreamAddress(target.tcUrl, "");
  const { app, streamName } = target;
  return {
    address: { hostname: host, port, ...(isSecure ? { isSecure } : {}) },
    tcUrl: upstreamTcUrl(asked.host, port, app, isSecure),
    app,
    streamName,
  };
}

/** Another server, for logs. */
export function upstreamName({ hostname, port, isSecure }: DialAddress): string {
  return `${isSecure ? "rtmps://" : ""}${hostAndPort(hostname, port)}`;
}

/** `rtmp://vhost[:port]/app`, or `rtmps://`: the vhost travels as the host, the TCP target is another matter (FACTS C.4, E.4). */
export function upstreamTcUrl(
  vhostOrHost: string,
  port: number,
  app: string,
  isSecure: boolean = false,
): string {
  const host = vhostOrHost.includes(":") ? `[${vhostOrHost}]` : vhostOrHost;
  const isDefault = port === (isSecure ? 443 : 1935);
  return `${isSecure ? "rtmps" : "rtmp"}://${host}${isDefault ? "" : `:${port}`}/${app}`;
}
