import { getLogger } from "@logtape/logtape";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { SocketAddress } from "../net/tcp.ts";
import { RtmpServer } from "../server/rtmp_server.ts";
import { ServerRuntime } from "../server/server_runtime.ts";
import { LONE_ORIGIN } from "../server/stream_router.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import type { Config } from "./config.ts";
import type { ListenAddress } from "./listen_address.ts";
import { findVhost, serverLimits, vhostSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["headwater", "app"]);

/** Where a running node listens. */
export interface NodeAddresses {
  readonly rtmp: readonly SocketAddress[];
}

/** One server, put together from a configuration: the only place that knows all parts. */
export class Node {
  readonly runtime: ServerRuntime;
  readonly rtmp: RtmpServer;
  #config: Config;
  #vhosts: ReadonlyMap<string, VhostSettings>;

  constructor(config: Config) {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
    this.runtime = new ServerRuntime({
      version: VERSION,
      processId: Deno.pid,
      findVhost: (name) => findVhost(this.#vhosts, name),
      limits: () => serverLimits(this.#config),
      router: LONE_ORIGIN,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      clock: SYSTEM_CLOCK,
    });
    this.rtmp = new RtmpServer(this.runtime);
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Listens everywhere, or nowhere.
   *
   * @throws {Error} When a port can't be had.
   */
  start(): NodeAddresses {
    const rtmp = this.#config.listen.map((address) => this.rtmp.listen(socketAddress(address)));
    for (const { hostname, port } of rtmp) log.info("Listening", { protocol: "rtmp", hostname, port });
    return { rtmp };
  }

  /** Takes a new configuration for what comes; connections that are there keep what they have. */
  reload(config: Config): void {
    this.#config = config;
    this.#vhosts = vhostSettings(config);
  }

  /** Ends everything within the configured time. */
  async stop(): Promise<void> {
    await this.rtmp.stop(this.#config.grace_final_wait_ms);
  }
}

/** Every address of the machine is IPv4's wildcard, or IPv6's, which takes IPv4 too, where the machine has it. */
export function socketAddress(address: ListenAddress): SocketAddress {
  return { hostname: address.hostname ?? "0.0.0.0", port: address.port };
}
