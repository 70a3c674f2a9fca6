import { getLogger } from "@logtape/logtape";
import { type ConnectionListener, type ListenTarget, type SocketAddress, TcpListener } from "../net/tcp.ts";
import { TlsListener } from "../net/tls.ts";
import type { Config } from "../config/config.ts";
import { httpsListens, sharesPort } from "../config/config_checks.ts";
import type { CheckedKeyPair } from "./checked_key_pair.ts";
import type { ServedCertificate, TlsSection } from "./tls_sections.ts";

const log = getLogger(["headwater", "app"]);

/** Where a node listens. */
export interface NodeAddresses {
  readonly rtmp: readonly SocketAddress[];
  readonly httpApi: readonly SocketAddress[];
  readonly httpServer: readonly SocketAddress[];
  /** SRS's `exporter`: metrics alone. */
  readonly exporter: readonly SocketAddress[];
  /** The same over TLS. */
  readonly rtmps: readonly SocketAddress[];
  readonly httpsApi: readonly SocketAddress[];
  readonly httpsServer: readonly SocketAddress[];
}

/**
 * The ports that a node listens on. They are open before the rest of the program is loaded: who connects in that
 * moment waits in the system's queue, and is not refused.
 */
export class Ports {
  readonly rtmp: readonly ConnectionListener[];
  /** Of the HTTP API; of what players ask for as well, where one port serves both. */
  readonly httpApi: readonly ConnectionListener[];
  /** Of HTTP-FLV, WebSocket-FLV and the players' page; none where the API's serve both. */
  readonly httpServer: readonly ConnectionListener[];
  /** Of the metrics' own port. */
  readonly exporter: readonly ConnectionListener[];
  readonly addresses: NodeAddresses;
  /** The certificates that those of them show that speak TLS. */
  readonly certificates: readonly ServedCertificate[];
  readonly #open: ConnectionListener[] = [];

  /**
   * Listens everywhere that a configuration names, or nowhere.
   *
   * @param keyPairs Those that the configuration names: `readKeyPairs` has them.
   * @throws {ListenError} When a port can't be had.
   */
  constructor(config: Config, keyPairs: ReadonlyMap<TlsSection, CheckedKeyPair> = new Map()) {
    const { listen, rtmps, http_api: api, http_server: server, exporter } = config;
    const isShared = sharesPort(config);
    const https = httpsListens(config);
    try {
      const rtmp = this.#listen(listen);
      const httpServer = server.enabled && !isShared ? this.#listen(server.listen) : [];
      const httpApi = api.enabled ? this.#listen(api.listen) : [];
      this.exporter = exporter.enabled ? this.#listen(exporter.listen) : [];
      const isServers = isShared && server.https.enabled;
      const secure = [
        this.#listenTls(keyPairs, "rtmps", rtmps.enabled ? rtmps.listen : []),
        this.#listenTls(keyPairs, isServers ? "http_server.https" : "http_api.https", https.api),
        this.#listenTls(keyPairs, "http_server.https", https.server),
      ] as const;
      const [rtmpsListeners, httpsApi, httpsServer] = secure.map((served) => served?.listeners ?? []) as [
        readonly TlsListener[],
        readonly TlsListener[],
        readonly TlsListener[],
      ];
      this.rtmp = [...rtmp, ...rtmpsListeners];
      this.httpApi = [...httpApi, ...httpsApi];
      this.httpServer = [...httpServer, ...httpsServer];
      this.certificates = secure.filter((served) => served !== undefined);
      const addresses = (listeners: readonly ConnectionListener[]) => listeners.map(({ address }) => address);
      this.addresses = {
        rtmp: addresses(rtmp),
        rtmps: addresses(rtmpsListeners),
        httpApi: addresses(httpApi),
        httpsApi: addresses(httpsApi),
        httpsServer: addresses(isShared ? httpsApi : httpsServer),
        exporter: addresses(this.exporter),
        httpServer: addresses(isShared ? httpApi : httpServer),
      };
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [protocol, all] of Object.entries(this.addresses)) {
      for (const { hostname, port } of all) log.info("Listening", { protocol, hostname, port });
    }
  }

  /** Takes no more connections. */
  close(): void {
    for (const listener of this.#open) listener.close();
  }

  #listen(targets: readonly ListenTarget[]): TcpListener[] {
    return targets.map((target) => this.#add(TcpListener.listen(target)));
  }

  #listenTls(
    keyPairs: ReadonlyMap<TlsSection, CheckedKeyPair>,
    section: TlsSection,
    targets: readonly ListenTarget[],
  ): ServedCertificate | undefined {
    const keyPair = keyPairs.get(section);
    if (targets.length === 0 || keyPair === undefined) return undefined;
    const listeners = targets.map((target) => this.#add(TlsListener.listen(target, keyPair)));
    return { section, listeners, keyPair };
  }

  #add<T extends ConnectionListener>(listener: T): T {
    this.#open.push(listener);
    return listener;
  }
}
