import { DEFAULT_VHOST } from "../base/stream_address.ts";
import { hostAndPort } from "../base/host_port.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import { upstreamTcUrl } from "../upstream/upstream_target.ts";
import type { UpstreamSession } from "../upstream/upstream_connection.ts";
import type { ForwardTarget } from "./forward.ts";
import { forwardTcUrl, type ForwardUrl, urlOfStream } from "../base/forward_url.ts";

/** A place that streams of a vhost are forwarded to. */
export interface ForwardDestination {
  /** As it is configured; absent: it is called by its address. */
  readonly name?: string;
  /**
   * `server`: another media server, as SRS's `destination host:port` means it; it gets the stream by the publisher's names and with its
   * parameters, and is told who we are. `url`: a platform, which gets what the URL says and no more.
   */
  readonly kind: "server" | "url";
  readonly url: ForwardUrl;
  /** Of `app/stream`; empty: every stream. */
  readonly patterns: readonly string[];
}

/** What a stream's forward to a destination is, but for how to dial. */
export type ForwardPlace = Omit<ForwardTarget, "dial" | "session"> & Pick<UpstreamSession, "manner">;

/** Shorter texts occur by chance. */
const MIN_SECRET_LENGTH = 4;

/** Where a stream goes. */
export function placeOf(
  destination: ForwardDestination,
  vhost: string,
  address: StreamAddress,
): ForwardPlace {
  const { kind, url: { host, port } } = destination;
  const address_ = { hostname: host, port };
  if (kind === "server") {
    const { app, stream, parameters } = address;
    const named = `${destination.url.scheme}://${hostAndPort(host, port)}`;
    const isSecure = destination.url.scheme === "rtmps";
    const tcUrl = upstreamTcUrl(vhost === DEFAULT_VHOST ? host : vhost, port, app, isSecure);
    return {
      name: destination.name ?? hostAndPort(host, port),
      shownUrl: `${named}/${app}/${stream}`,
      secrets: secretsOf("", parameters),
      address: address_,
      tcUrl,
      app,
      streamName: stream + parameters,
      manner: "srs",
    };
  }
  const names = { vhost, app: address.app, stream: address.stream };
  const url = urlOfStream(destination.url, names);
  const tcUrl = forwardTcUrl(url);
  const isOwnKey = url.stream !== names.stream;
  return {
    name: destination.name ?? hostAndPort(host, port),
    shownUrl: `${tcUrl}/${isOwnKey ? "***" : url.stream}`,
    secrets: isOwnKey ? secretsOf(...splitAtQuery(url.stream)) : [],
    address: address_,
    tcUrl,
    app: url.app,
    streamName: url.stream,
    manner: "encoder",
  };
}

function splitAtQuery(text: string): [path: string, query: string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

/** Longest first, so that nothing is left of one that holds another. */
function secretsOf(path: string, query: string): string[] {
  const values = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [path + query, path, query, ...values].filter((text) => text.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
}
