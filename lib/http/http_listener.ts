import { listenAnywhere, plainAddress } from "../base/any_address.ts";
import { ListenError } from "../base/listen_error.ts";

/** Who asked. */
export interface HttpPeer {
  readonly hostname: string;
  readonly port: number;
}

/** Takes a request over as a WebSocket; `response` must be its answer. */
export type UpgradeWebSocket = (
  request: Request,
) => { readonly socket: WebSocket; readonly response: Response };

/** Answers one request. */
export type HttpHandler = (request: Request, peer: HttpPeer) => Response | Promise<Response>;

/** One HTTP port. */
export interface HttpListener {
  readonly hostname: string;
  readonly port: number;
  /** Takes no more requests, and waits a moment for those under way to finish. */
  close(): Promise<void>;
}

/** How long responses may take to finish once the listener closes, in milliseconds. */
const FINISH_MS = 1000;

/** For requests that came through `listenHttp`. */
export function upgradeWebSocket(request: Request): ReturnType<UpgradeWebSocket> {
  return Deno.upgradeWebSocket(request);
}

/**
 * Serves HTTP/1.1 on an address.
 *
 * @param address Without a host name: every address of the machine. `port` 0 takes a free one.
 * @throws {ListenError} When the port can't be had.
 */
export function listenHttp(
  address: { readonly hostname?: string; readonly port: number },
  handler: HttpHandler,
  onError: (error: unknown) => void,
): HttpListener {
  try {
    const serve = (hostname: string) =>
      Deno.serve({
        hostname,
        port: address.port,
        onListen: () => {},
        onError(error) {
          onError(error);
          return new Response("Internal Server Error", { status: 500 });
        },
      }, (request, { remoteAddr: { hostname, port } }) =>
        handler(request, { hostname: plainAddress(hostname), port }));
    const server = listenAnywhere(address.hostname, Deno.build.os !== "windows", serve);
    return {
      hostname: server.addr.hostname,
      port: server.addr.port,
      async close() {
        // What does not end in time ends with the process: aborting a server that shuts down throws where nobody can catch it.
        let timer: ReturnType<typeof setTimeout> | undefined;
        const tooLong = new Promise<void>((resolve) => timer = setTimeout(resolve, FINISH_MS));
        await Promise.race([server.shutdown(), tooLong]);
        clearTimeout(timer);
      },
    };
  } catch (error) {
    throw new ListenError({ hostname: address.hostname ?? "0.0.0.0", port: address.port }, error);
  }
}
