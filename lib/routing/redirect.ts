/**
 * How a client is sent to another node: whether, by which of the two ways, and in which words.
 *
 * @module
 */
import { DEFAULT_VHOST, parameterOf } from "../base/stream_address.ts";
import { hostAndPort, isIpAddress } from "../base/host_port.ts";
import { followsReconnectRequests, followsRedirects, isNode } from "../server/peer_node.ts";
import type { Elsewhere, StreamRequest } from "../server/stream_router.ts";
import type { RedirectMode } from "../server/vhost_role.ts";
import type { ConnectInfo } from "../wire/commands.ts";

/** How a player gets to a stream of a coworker. */
export type RedirectDecision =
  /** SRS's RTMP 302. */
  | "302"
  /** Enhanced RTMP's ReconnectRequest. */
  | "reconnect"
  /** Through this node. */
  | "relay";

/**
 * Decides by what a player said in `connect`.
 *
 * @param connect Undefined for a player over HTTP: nobody knows an HTTP-FLV address of the owner.
 */
export function decideRedirect(mode: RedirectMode, connect: ConnectInfo | undefined): RedirectDecision {
  if (mode === "relay" || connect === undefined) return "relay";
  if (mode === "auto" && cameByTls(connect)) return "relay";
  if (mode === "302" || followsRedirects(connect)) return "302";
  return followsReconnectRequests(connect) ? "reconnect" : "relay";
}

/** Whether a publisher may be asked to go on at another node. */
export function mayMove(connect: ConnectInfo): boolean {
  return !cameByTls(connect) && (isNode(connect) || followsReconnectRequests(connect));
}

/** Where nodes speak TLS is not known of each other, and whoever came by it keeps what it sends, a token say, to it. */
function cameByTls({ tcUrl }: ConnectInfo): boolean {
  return /^rtmps:/i.test(tcUrl);
}

/** What sends a client on to that node, with all that it asked for. */
export function redirectTo(
  how: "302" | "reconnect",
  { address: { app, stream, parameters, host } }: StreamRequest,
  node: Pick<RedirectTarget, "ip" | "port" | "vhost">,
): Elsewhere {
  const target = { ...node, app, stream, parameters, host };
  return how === "302"
    ? { kind: "redirect", ...redirectUrls(target) }
    : { kind: "reconnect", tcUrl: reconnectTcUrl(target) };
}

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
