import { DEFAULT_VHOST, hostAndPort, parameterOf } from "../base/stream_address.ts";
import { isIpAddress } from "../base/host_port.ts";

/** Where a player is sent. */
export interface RedirectTarget {
  readonly ip: string;
  readonly port: number;
  /** The vhost to ask for there; the default one is told by the host that the player dialled. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** The player's parameters, with a leading `?`, or empty. */
  readonly parameters: string;
  /** The host that the player dialled. */
  readonly host: string;
}

/** The two URLs of SRS's RTMP 302. */
export interface RedirectUrls {
  /** `redirect2`: the whole URL. */
  readonly url: string;
  /** `redirect`: up to the app (ossrs/srs #1575). */
  readonly tcUrl: string;
}

/**
 * The URLs of a redirect, byte for byte SRS's: the port is always there, `vhost=` is added unless the parameters have one. Unlike
 * SRS's, a slash in the parameters leaves the tcUrl whole.
 */
export function redirectUrls(target: RedirectTarget): RedirectUrls {
  const tcUrl = tcUrlOf(target);
  const vhost = vhostToAdd(target);
  let query = target.parameters.replace(/^[?&]+/, "");
  if (vhost !== "") query = query === "" ? `vhost=${vhost}` : `${query}&vhost=${vhost}`;
  return { url: `${tcUrl}/${target.stream}${query === "" ? "" : `?${query}`}`, tcUrl };
}

/** The tcUrl of Enhanced RTMP's ReconnectRequest: up to the app, and the vhost where the stream's name does not have it. */
export function reconnectTcUrl(target: RedirectTarget): string {
  const vhost = vhostToAdd(target);
  return `${tcUrlOf(target)}${vhost === "" ? "" : `?vhost=${vhost}`}`;
}

function tcUrlOf({ ip, port, app }: RedirectTarget): string {
  return `rtmp://${hostAndPort(ip, port)}/${app}`;
}

/** The vhost to name beside what the client says anyway, or empty. An address says nothing of a vhost. */
function vhostToAdd({ vhost, parameters, host }: RedirectTarget): string {
  if (parameterOf(parameters, "vhost") !== undefined) return "";
  return vhost !== DEFAULT_VHOST ? vhost : isIpAddress(host) ? "" : host;
}
