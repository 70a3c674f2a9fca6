import { getLogger } from "@logtape/logtape";
import { type SocketAddress, TcpListener } from "../net/tcp.ts";
import type { Config } from "../config/config.ts";
import { sharesPort } from "../config/config_checks.ts";

const log = getLogger(["headwater", "app"]);

/** Where a node listens. */
export interface NodeAddresses {
  readonly rtmp: readonly SocketAddress[];
  readonly httpApi: readonly SocketAddress[];
  readonly httpServer: readonly SocketAddress[];
}

/**
 * The ports that a node listens on. They are open before the rest of the program is loaded: who connects in that
 * moment waits in the system's queue, and is not refused.
 */
export class Ports {
  readonly rtmp: readonly TcpListener[];
  /** Of the HTTP API; of what players ask for as well, where one port serves both. */
  readonly httpApi: readonly TcpListener[];
  /** Of HTTP-FLV, WebSocket-FLV and the players' page; none where the API's serve both. */
  readonly httpServer: readonly TcpListener[];
  readonly addresses: NodeAddresses;
  readonly #open: TcpListener[] = [];

  /**
   * Listens everywhere that a configuration names, or nowhere.
   *
   * @throws {ListenError} When a port can't be had.
   */
  constructor(config: Config) {
    const { listen, http_api: api, http_server: server } = config;
    const isShared = sharesPort(config);
    try {
      this.rtmp = this.#listen(listen);
      this.httpServer = server.enabled && !isShared ? this.#listen(server.listen) : [];
      this.httpApi = api.enabled ? this.#listen(api.listen) : [];
    } catch (error) {
      this.close();
      throw error;
    }
    const addresses = (listeners: readonly TcpListener[]) => listeners.map(({ address }) => address);
    this.addresses = {
      rtmp: addresses(this.rtmp),
      httpApi: addresses(this.httpApi),
      httpServer: addresses(isShared ? this.httpApi : this.httpServer),
    };
    for (const [protocol, all] of Object.entries(this.addresses)) {
      for (const { hostname, port } of all) log.info("Listening", { protocol, hostname, port });
    }
  }

  /** Takes no more connections. */
  close(): void {
    for (const listener of this.#open) listener.close();
  }

  #listen(targets: readonly { readonly hostname?: string; readonly port: number }[]): TcpListener[] {
    return targets.map((target) => {
      const listener = TcpListener.listen(target);
      this.#open.push(listener);
      return listener;
    });
  }
}
