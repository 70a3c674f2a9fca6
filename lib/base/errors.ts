/**
 * Every failure that a peer can cause, as one table: a stable code, SRS's number where SRS has one
 * (`srs_kernel_error.hpp`), and how it is answered over RTMP and HTTP.
 *
 * @module
 */

/** How a failure is told to the peer. */
interface ErrorSpec {
  /** SRS's numeric code, as used in SRS's logs and HTTP `code` fields. */
  readonly srsCode: number;
  /** The `code` of the `onStatus` (or `_error`) that a refused RTMP client is sent; absent: closed without one. */
  readonly rtmpStatus?: string;
  /** HTTP status of a refused HTTP client. */
  readonly httpStatus: number;
}

const ERRORS = {
  // The peer broke the protocol.
  "handshake-version": { srsCode: 2000, httpStatus: 400 },
  "handshake-timeout": { srsCode: 1011, httpStatus: 408 },
  "proxy-header-too-large": { srsCode: 2054, httpStatus: 400 },
  "proxy-header-malformed": { srsCode: 2054, httpStatus: 400 },
  "tls-handshake": { srsCode: 4042, httpStatus: 400 },
  "chunk-header-type": { srsCode: 2001, httpStatus: 400 },
  "chunk-size": { srsCode: 2010, httpStatus: 400 },
  "chunk-message-changed": { srsCode: 2013, httpStatus: 400 },
  "too-many-chunk-streams": { srsCode: 2001, httpStatus: 400 },
  "message-too-large": { srsCode: 2013, httpStatus: 413 },
  "input-too-large": { srsCode: 2013, httpStatus: 413 },
  "message-malformed": { srsCode: 2003, httpStatus: 400 },
  "amf-malformed": { srsCode: 2004, httpStatus: 400 },
  "amf-limit": { srsCode: 2004, httpStatus: 400 },
  "aggregate-malformed": { srsCode: 2024, httpStatus: 400 },
  "flv-malformed": { srsCode: 3044, httpStatus: 400 },
  "unexpected-command": { srsCode: 2003, httpStatus: 400 },
  // We decline something legitimate.
  "connect-without-tc-url": { srsCode: 2005, rtmpStatus: "NetConnection.Connect.Rejected", httpStatus: 400 },
  "bad-tc-url": { srsCode: 2006, rtmpStatus: "NetConnection.Connect.Rejected", httpStatus: 400 },
  "vhost-not-found": { srsCode: 2014, rtmpStatus: "NetConnection.Connect.InvalidApp", httpStatus: 404 },
  "bad-stream-name": { srsCode: 2051, rtmpStatus: "NetStream.Publish.BadName", httpStatus: 400 },
  "stream-busy": { srsCode: 1028, rtmpStatus: "NetStream.Publish.BadName", httpStatus: 409 },
  "stream-not-found": { srsCode: 2048, rtmpStatus: "NetStream.Play.StreamNotFound", httpStatus: 404 },
  "too-many-streams": { srsCode: 2055, rtmpStatus: "NetConnection.Call.Failed", httpStatus: 503 },
  "no-origin": { srsCode: 3092, rtmpStatus: "NetStream.Play.Failed", httpStatus: 503 },
  "token-refused": { srsCode: 3067, rtmpStatus: "NetConnection.Connect.Rejected", httpStatus: 403 },
  "relay-loop": { srsCode: 3092, rtmpStatus: "NetStream.Play.Failed", httpStatus: 508 },
  "too-many-connections": { srsCode: 1028, rtmpStatus: "NetConnection.Connect.Rejected", httpStatus: 503 },
  // Told without a reason: which rule decided is in the log.
  "access-denied": { srsCode: 1053, rtmpStatus: "NetStream.Publish.Denied", httpStatus: 403 },
  "credentials-required": { srsCode: 1053, rtmpStatus: "NetStream.Publish.Denied", httpStatus: 401 },
  "unauthorized": { srsCode: 1052, rtmpStatus: "NetConnection.Connect.Rejected", httpStatus: 401 },
  // How a healthy connection ends.
  "publish-timeout": { srsCode: 1011, httpStatus: 408 },
  "play-duration": { srsCode: 2019, httpStatus: 200 },
  "send-timeout": { srsCode: 1011, httpStatus: 408 },
  "idle-timeout": { srsCode: 1011, httpStatus: 408 },
  "kicked": { srsCode: 2998, httpStatus: 200 },
  "redirected": { srsCode: 2997, httpStatus: 302 },
  "media-changed": { srsCode: 2998, httpStatus: 200 },
  "taken-over": { srsCode: 1028, rtmpStatus: "NetStream.Publish.BadName", httpStatus: 409 },
  "shutting-down": { srsCode: 2998, rtmpStatus: "NetConnection.Connect.AppShutdown", httpStatus: 503 },
  "unreachable": { srsCode: 1018, rtmpStatus: "NetStream.Play.Failed", httpStatus: 504 },
  "connection-lost": { srsCode: 1007, httpStatus: 499 },
  "remote-refused": { srsCode: 3091, rtmpStatus: "NetStream.Play.Failed", httpStatus: 502 },
} as const satisfies Record<string, ErrorSpec>;

/** A stable name for one way in which a connection or a request fails. Documented, never renamed. */
export type RtmpErrorCode = keyof typeof ERRORS;

/** A failure caused by a peer or by its request; costs that connection and nothing else. */
export class RtmpError extends Error {
  override readonly name = "RtmpError";
  readonly code: RtmpErrorCode;

  /**
   * @param code Which failure.
   * @param message What was attempted, then the value and the limit, without a full stop.
   */
  constructor(code: RtmpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** SRS's number for it. */
  get srsCode(): number {
    return ERRORS[this.code].srsCode;
  }

  /** The RTMP status code that tells the peer, if one exists. */
  get rtmpStatus(): string | undefined {
    return (ERRORS[this.code] as ErrorSpec).rtmpStatus;
  }

  /** The HTTP status that tells an HTTP peer. */
  get httpStatus(): number {
    return ERRORS[this.code].httpStatus;
  }
}

/** The message of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
