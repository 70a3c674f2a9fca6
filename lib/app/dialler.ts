import type { Clock } from "../base/clock.ts";
import { hostAndPort } from "../base/host_port.ts";
import type { ConnectionLimits } from "../net/connection_limits.ts";
import { type ByteDuplex, type DialAddress, dialTcp } from "../net/tcp.ts";
import { dialTls } from "../net/tls_dial.ts";
import type { Config } from "../config/config.ts";
import { readProblem } from "./read_problem.ts";

/** Connections to one place that hang in the handshake, before it is left alone. */
const MAX_UNANSWERED = 8;

export interface DiallerOptions {
  readonly clock: Clock;
  /** The account of all connections of the process. */
  readonly limits: ConnectionLimits;
  readonly config: () => Config;
}

/** Connects to other servers, plain or by TLS. */
export class Dialler {
  readonly #options: DiallerOptions;
  /** By place, connections that were given up during the handshake and that the system still holds: only the other end can end them. */
  readonly #unanswered = new Map<string, number>();

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /**
   * Connects within a time.
   *
   * @throws {Error} Naming the address and the reason.
   */
  async dial(address: DialAddress, timeoutMs: number): Promise<ByteDuplex> {
    const release = this.#options.limits.admitOutgoing();
    if (address.isSecure) return await this.#dialTls(address, timeoutMs, release);
    try {
      const duplex = await dialTcp(address, timeoutMs, this.#options.clock);
      return {
        ...duplex,
        close() {
          release();
          duplex.close();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #dialTls(address: DialAddress, timeoutMs: number, release: () => void): Promise<ByteDuplex> {
    const { ca, unverified_names: names } = this.#options.config().upstream_tls;
    const place = hostAndPort(address.hostname, address.port);
    let caCerts: string[];
    try {
      const unanswered = this.#unanswered.get(place) ?? 0;
      if (unanswered >= MAX_UNANSWERED) {
        throw new Error(
          `Cannot connect to ${place} by TLS: it has not answered ${unanswered} earlier handshakes`,
        );
      }
      // Read each time: a connection by TLS costs more than that, and a new authority counts at once.
      caCerts = ca === "" ? [] : [await readCa(ca)];
    } catch (error) {
      release();
      throw error;
    }
    let isReleased = false;
    let isCounted = false;
    const onReleased = () => {
      release();
      if (isCounted) this.#countUnanswered(place, -1);
      isReleased = true;
    };
    const trust = { caCerts, isNameUnchecked: names.includes(address.hostname) };
    try {
      return await dialTls(address, timeoutMs, trust, this.#options.clock, onReleased);
    } catch (error) {
      if (!isReleased) {
        isCounted = true;
        this.#countUnanswered(place, 1);
      }
      throw error;
    }
  }

  #countUnanswered(place: string, change: number): void {
    const count = (this.#unanswered.get(place) ?? 0) + change;
    if (count > 0) this.#unanswered.set(place, count);
    else this.#unanswered.delete(place);
  }
}

async function readCa(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(`Cannot use upstream_tls.ca ${path}: ${readProblem(error)}`);
  }
}
