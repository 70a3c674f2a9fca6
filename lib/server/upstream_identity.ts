import { Amf0Object, type Amf0Value } from "../wire/amf0.ts";
import type { ConnectInfo } from "../wire/commands.ts";

/** Nodes that a request may pass; longer routes are loops that lost their beginning. */
const MAX_ROUTE = 16;

/** Who we are towards other servers. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly signature: string;
  readonly version: string;
  readonly processId: number;
}

/** The nodes that a client's request has passed before it came here, from connect's arguments. */
export function routeOf(connect: ConnectInfo | undefined): string[] {
  const route = connect?.argumentsObject?.getString("headwater_route");
  return route === undefined || route === "" ? [] : route.split(",").slice(0, MAX_ROUTE + 1);
}

/** Whether a client is another Headwater node, which looks for streams by itself. */
export function isNode(connect: ConnectInfo | undefined): boolean {
  return connect?.argumentsObject?.getString("headwater_node") !== undefined;
}

/** Whether a request has been here already. */
export function isLoop(identity: NodeIdentity, connect: ConnectInfo | undefined): boolean {
  const route = routeOf(connect);
  return route.includes(identity.nodeId) || route.length > MAX_ROUTE;
}

/**
 * The second object of connect: the route, for finding loops, and with `debug` SRS's fields, by which an origin also sees that we
 * follow redirects.
 */
export function upstreamArguments(
  identity: NodeIdentity,
  connect: ConnectInfo | undefined,
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
    headwater_route: [...routeOf(connect), identity.nodeId].join(","),
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
