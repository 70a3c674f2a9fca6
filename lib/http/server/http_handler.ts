/**
 * What the HTTP server asks of those who answer.
 *
 * @module
 */
import type { MediaPlay } from "../../net/media_sink.ts";

/** Who asked. */
export interface HttpPeer {
  readonly hostname: string;
  readonly port: number;
}

/** What is known of a request beside itself. */
export interface HttpExchange {
  readonly peer: HttpPeer;
  /** Whether only the headers are wanted; the request itself is a `GET` then, so that they are the same. */
  readonly isHead: boolean;
  /** Whether the client asks, rightly, for a WebSocket. */
  readonly isWebSocket: boolean;
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly response: Response;
  /** What follows the head of the response, over the WebSocket where the client asked for one, until the connection ends. */
  readonly play?: MediaPlay;
  /** Whether nobody can say how long the body is; only for an answer to `HEAD`. */
  readonly isEndless?: boolean;
}

/** Answers one request. */
export type HttpHandler = (request: Request, exchange: HttpExchange) => Promise<HttpAnswer>;
