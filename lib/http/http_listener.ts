import { listenAnywhere, plainAddress } from "../base/any_address.ts";
import { ListenError } from "../base/listen_error.ts";

/** Who asked. */
export interface HttpPeer {
  readonly hostname: string;
  readonly port: number;
}

/** An answer that makes the connection a WebSocket. */
export interface WebSocketAnswer {
  accept(socket: WebSocket): void;
  /** The request can't become one. */
  refuse(): void;
}

/** Answers one request. */
export type HttpHandler = (
  request: Request,
  peer: HttpPeer,
) => Response | WebSocketAnswer | Promise<Response | WebSocketAnswer>;

/** One HTTP port. */
export interface HttpListener {
  readonly hostname: string;
  readonly port: number;
  /** Takes no more requests, and waits a moment for those under way to finish. */
  close(): Promise<void>;
}

/** How long responses may take to finish once the listener closes, in milliseconds. */
const FINISH_MS = 1000;

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
  const sockets = new Set<WebSocket>();
  let onNoSocket = (): void => {};
  const upgrade = (request: Request, answer: WebSocketAnswer): Response => {
    let upgraded: { readonly socket: WebSocket; readonly response: Response };
    try {
      upgraded = Deno.upgradeWebSocket(request);
    } catch {
      answer.refuse();
      return new Response("Bad Request", { status: 400 });
    }
    const { socket, response } = upgraded;
    sockets.add(socket);
    socket.addEventListener("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) onNoSocket();
    });
    try {
      answer.accept(socket);
    } catch (error) {
      // From here on nothing but this response may be returned: any other ends the whole listener (Deno 2.9).
      onError(error);
    }
    return response;
  };
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
      }, async (request, { remoteAddr: { hostname, port } }) => {
        const answer = await handler(request, { hostname: plainAddress(hostname), port });
        return answer instanceof Response ? answer : upgrade(request, answer);
      });
    const server = listenAnywhere(address.hostname, Deno.build.os !== "windows", serve);
    return {
      hostname: server.addr.hostname,
      port: server.addr.port,
      async close() {
        // What does not end in time ends with the process: aborting a server that shuts down throws where nobody can catch it.
        let timer: ReturnType<typeof setTimeout> | undefined;
        const tooLong = new Promise<void>((resolve) => timer = setTimeout(resolve, FINISH_MS));
        // First what has become WebSockets: the server would cut them off.
        if (sockets.size > 0) {
          await Promise.race([new Promise<void>((resolve) => onNoSocket = resolve), tooLong]);
        }
        await Promise.race([server.shutdown(), tooLong]);
        clearTimeout(timer);
      },
    };
  } catch (error) {
    throw new ListenError({ hostname: address.hostname ?? "0.0.0.0", port: address.port }, error);
  }
}
