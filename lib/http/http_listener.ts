import { ListenError } from "../base/listen_error.ts";

/** Who asked. */
export interface HttpPeer {
  readonly hostname: string;
  readonly port: number;
}

/** Answers one request. */
export type HttpHandler = (request: Request, peer: HttpPeer) => Response | Promise<Response>;

/** One HTTP port. */
export interface HttpListener {
  readonly hostname: string;
  readonly port: number;
  /** Takes no more requests and ends those under way. */
  close(): Promise<void>;
}

/**
 * Serves HTTP/1.1 on an address.
 *
 * @param address `port` 0 takes a free one.
 * @throws {ListenError} When the port can't be had.
 */
export function listenHttp(
  address: { readonly hostname: string; readonly port: number },
  handler: HttpHandler,
  onError: (error: unknown) => void,
): HttpListener {
  const controller = new AbortController();
  try {
    const server = Deno.serve({
      hostname: address.hostname,
      port: address.port,
      signal: controller.signal,
      onListen: () => {},
      onError(error) {
        onError(error);
        return new Response("Internal Server Error", { status: 500 });
      },
    }, (request, info) => handler(request, info.remoteAddr));
    return {
      hostname: server.addr.hostname,
      port: server.addr.port,
      async close() {
        controller.abort();
        await server.finished;
      },
    };
  } catch (error) {
    throw new ListenError(address, error);
  }
}
