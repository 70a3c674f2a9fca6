/** What a client wants to do. */
export type AccessAction = "publish" | "play";

/** By which way a client came. */
export type AccessProtocol = "rtmp" | "http-flv" | "ws-flv";

/** Who wants to publish or play what, as far as it can be known before it is let in. */
export interface AccessRequest {
  readonly action: AccessAction;
  readonly protocol: AccessProtocol;
  /** The client's id in the API and the log. */
  readonly clientId: string;
  /** The client's address: behind a trusted proxy that which the proxy names. */
  readonly ip: string;
  /** As configured, `__defaultVhost__` for one that no other is named for. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** What the stream is filed under: see `requestKey`. */
  readonly streamKey: string;
  /** The parameters, with a leading `?`, or empty. May hold tokens: never logged. */
  readonly parameters: string;
  /** As the client sent it. May hold tokens: never logged. */
  readonly tcUrl: string;
  /** The page that it plays in, or empty: `pageUrl` of connect, `Referer` of an HTTP request. */
  readonly pageUrl: string;
  /** What stands after `Bearer` in an HTTP request's `Authorization`. Never logged. */
  readonly authorization?: string | undefined;
  /**
   * The checks that another node of the cluster, which has proved that it knows the cluster's secret, has made of the clients that it asks
   * for: they are not made again. Empty for everybody else.
   */
  readonly vouched: readonly string[];
  /** Of a publish: resolves when who published the stream before has been read to its end, or seems to stay. */
  readonly whenFree?: () => Promise<void>;
  /** Aborts when the client leaves while it waits. */
  readonly signal: AbortSignal;
}

/** What access control wants to know of who asks, besides what is asked for. */
export type AccessClient = Pick<
  AccessRequest,
  "protocol" | "clientId" | "tcUrl" | "pageUrl" | "authorization"
>;
