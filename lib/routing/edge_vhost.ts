import { RtmpError } from "../base/errors.ts";
import type { DialAddress } from "../net/tcp.ts";
import type { EdgeRole } from "../server/vhost_role.ts";
import { OriginPool } from "../upstream/origin_pool.ts";
import { UpstreamConnection, type UpstreamOptions } from "../upstream/upstream_connection.ts";
import { upstreamTcUrl } from "../upstream/upstream_target.ts";

/** How long an origin may take to answer a probe, in milliseconds. */
const PROBE_TIMEOUT_MS = 1000;

export interface EdgeVhostOptions
  extends
    Pick<UpstreamOptions, "dial" | "clock" | "traffic">,
    Pick<UpstreamOptions["session"], "randomBytes"> {
  readonly role: EdgeRole;
  /** As configured now. */
  readonly limits: () => UpstreamOptions["session"]["limits"];
  /** An origin that could not be reached answers again. */
  readonly onAlive: () => void;
}

/**
 * One vhost that is an edge, as it is now, and what is known of its origins. All that is pulled and pushed for it holds this, so that a
 * reload counts for what was begun before. When the vhost is an edge no longer, what was begun goes on.
 */
export class EdgeVhost {
  readonly #options: EdgeVhostOptions;
  readonly #pool: OriginPool;
  #role: EdgeRole;

  constructor(options: EdgeVhostOptions) {
    this.#options = options;
    this.#role = options.role;
    this.#pool = new OriginPool(
      options.role.origins,
      options.clock,
      (origin) => this.#answers(origin),
      options.onAlive,
    );
  }

  get role(): EdgeRole {
    return this.#role;
  }

  reload(role: EdgeRole): void {
    this.#role = role;
    this.#pool.setOrigins(role.origins);
  }

  /**
   * The origins to try now for a stream, best first.
   *
   * @param isBold Also those that could not be reached, when there are no others.
   * @throws {RtmpError} When there is none.
   */
  choose(key: string, isBold: boolean): readonly DialAddress[] {
    const candidates = this.#pool.candidates(key);
    const origins = candidates.length > 0 || !isBold ? candidates : this.#pool.all(key);
    if (origins.length > 0) return origins;
    throw this.#role.origins.length === 0
      ? new RtmpError("no-origin", `Cannot relay '${key}': no origin is configured`)
      : new RtmpError("unreachable", `Cannot relay '${key}': no origin is reachable`);
  }

  /** Notes what came of trying an origin; of other servers, which origins redirect to, nothing is kept. */
  tried(origin: DialAddress, error: RtmpError | undefined): void {
    this.#pool.tried(origin, error);
  }

  /** Whether an origin answers a handshake. */
  async #answers(origin: DialAddress): Promise<boolean> {
    const { dial, clock, traffic, limits, randomBytes } = this.#options;
    const { hostname, port, isSecure } = origin;
    let hasAnswered = false;
    const connection: UpstreamConnection = new UpstreamConnection({
      dial,
      clock,
      traffic,
      purpose: "connect",
      target: {
        address: origin,
        tcUrl: upstreamTcUrl(hostname, port, "", isSecure),
        app: "",
        streamName: "",
      },
      connectTimeoutMs: PROBE_TIMEOUT_MS,
      session: { pageUrl: "", swfUrl: "", argumentsObject: undefined, limits: limits(), randomBytes },
      onEvent: () => {},
      onAnswer: () => {
        hasAnswered = true;
        connection.close();
      },
    });
    await connection.run();
    return hasAnswered;
  }
}
