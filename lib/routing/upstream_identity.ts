import { RtmpError } from "../base/errors.ts";
import { MAX_ROUTE } from "../upstream/pull_askers.ts";
import { Amf0Object, type Amf0Value } from "../wire/amf0.ts";
import type { ConnectInfo } from "../wire/commands.ts";

/** Longest route that is read of a client, in characters; a pull's own is shorter. */
const MAX_ROUTE_LENGTH = 2048;
/** Nodes that a publish may pass; longer routes are loops that lost their beginning. */
const MAX_PUBLISH_ROUTE = 16;

/** Who we are towards other servers. */
export interface UpstreamIdentity {
  readonly nodeId: string;
  readonly signature: string;
  readonly version: string;
  readonly processId: number;
}

/**
 * What a client's request has passed before it came here, by its own word: for a publish the ids of nodes, for a play marks of the pulls
 * that wait for it. It decides nothing but whether this very request has been here before.
 */
export function routeOf(connect: ConnectInfo | undefined): string[] {
  const route = connect?.argumentsObject?.getString("headwater_route") ?? "";
  return route.slice(0, MAX_ROUTE_LENGTH).split(",").filter((mark) => mark !== "").slice(0, MAX_ROUTE);
}

/** @throws {RtmpError} `relay-loop` when a publish has been here already. */
export function refuseLoop(identity: UpstreamIdentity, connect: ConnectInfo | undefined, key: string): void {
  const route = routeOf(connect);
  if (route.includes(identity.nodeId) || route.length > MAX_PUBLISH_ROUTE) {
    throw new RtmpError(
      "relay-loop",
      `Cannot publish '${key}': the request has already passed through this node`,
    );
  }
}

/**
 * The second object of connect: the route, for finding loops, and with `debug` SRS's fields, by which an origin also sees that we
 * follow redirects.
 */
export function upstreamArguments(
  identity: UpstreamIdentity,
  route: readonly string[],
  debug: boolean,
): Readonly<Record<string, Amf0Value>> {
  return {
    ...(debug
      ? {
        srs_sig: "SRS",
        srs_server: identity.signature,
        srs_version: identity.version,
        srs_pid: identity.processId,
        srs_id: identity.nodeId,
      }
      : {}),
    headwater_node: identity.nodeId,
    headwater_route: route.join(","),
  };
}

/** The client's own second object, as token traverse hands it on. */
export function clientArguments(connect: ConnectInfo): Readonly<Record<string, Amf0Value>> | undefined {
  const object = connect.argumentsObject;
  return object instanceof Amf0Object ? Object.fromEntries(object.entries) : undefined;
}

/** The client's parameters without the vhost, which travels in the tcUrl. */
export function withoutVhost(parameters: string): string {
  const pairs = parameters.replace(/^\?/, "").split("&").filter((pair) =>
    !/^(vhost|domain)=/.test(pair) && pair !== ""
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
