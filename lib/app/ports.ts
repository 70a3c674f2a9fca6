import { getLogger } from "@logtape/logtape";
import { type HttpHandler, type HttpListener, listenHttp } from "../http/http_listener.ts";
import { type SocketAddress, TcpListener } from "../net/tcp.ts";
import type { Config } from "./config.ts";
import { sharesPort } from "./config_checks.ts";
import type { ListenAddress } from "./listen_address.ts";

const log = getLogger(["headwater", "app"]);

/** Where a node listens. */
export interface NodeAddresses {
  readonly rtmp: readonly SocketAddress[];
  readonly httpApi: readonly SocketAddress[];
  readonly httpServer: readonly SocketAddress[];
}

/** What answers the requests of a node's HTTP ports. */
export interface HttpApps {
  /** The HTTP API; with what players ask for as well, where one port serves both. */
  readonly api: HttpHandler;
  /** HTTP-FLV, WebSocket-FLV and the players' page. */
  readonly stream: HttpHandler;
}

/**
 * The ports that a node listens on. They are open before the rest of the program is loaded: who connects in that
 * moment waits in the system's queue, or for `serveHttp`, and is not refused.
 */
export class Ports {
  readonly rtmp: readonly TcpListener[];
  readonly addresses: NodeAddresses;
  readonly #httpListeners: HttpListener[] = [];
  readonly #httpApps = Promise.withResolvers<HttpApps>();

  /**
   * Listens everywhere that a configuration names, or nowhere.
   *
   * @throws {ListenError} When a port can't be had.
   */
  constructor(config: Config) {
    const { listen, http_api: api, http_server: server } = config;
    const isShared = sharesPort(config);
    const rtmp: TcpListener[] = [];
    this.rtmp = rtmp;
    try {
      for (const address of listen) rtmp.push(TcpListener.listen(address));
      const httpServer = server.enabled && !isShared ? this.#listenHttp(server.listen, "stream") : [];
      const httpApi = api.enabled ? this.#listenHttp(api.listen, "api") : [];
      this.addresses = {
        rtmp: rtmp.map((listener) => listener.address),
        httpApi,
        httpServer: isShared ? httpApi : httpServer,
      };
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [protocol, all] of Object.entries(this.addresses)) {
      for (const { hostname, port } of all) log.info("Listening", { protocol, hostname, port });
    }
  }

  /** Has HTTP requests answered; until then they wait. */
  serveHttp(apps: HttpApps): void {
    this.#httpApps.resolve(apps);
  }

  /** Takes no more connections and requests, and waits a moment for the requests under way. */
  async close(): Promise<void> {
    for (const listener of this.rtmp) listener.close();
    await Promise.all(this.#httpListeners.map((listener) => listener.close()));
  }

  #listenHttp(addresses: readonly ListenAddress[], app: keyof HttpApps): HttpListener[] {
    const handler: HttpHandler = async (...request) => (await this.#httpApps.promise)[app](...request);
    const onError = (error: unknown) => log.error("HTTP request failed", { error });
    return addresses.map((address) => {
      const listener = listenHttp(address, handler, onError);
      this.#httpListeners.push(listener);
      return listener;
    });
  }
}
