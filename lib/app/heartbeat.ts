import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import type { SummariesJson } from "../http/api/summaries_routes.ts";
import type { HttpPoster } from "../net/http_post.ts";
import type { SocketAddress } from "../net/tcp.ts";
import type { NodeAddresses } from "./ports.ts";
import { SIGNATURE } from "./settings.ts";

const log = getLogger(["headwater", "heartbeat"]);

/** How long an answer may take, in milliseconds, and its longest body, in bytes: nothing in it matters. */
const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Who sends heartbeats. */
export interface HeartbeatNode {
  readonly serverId: string;
  readonly serviceId: string;
  readonly pid: number;
}

export interface HeartbeatOptions {
  readonly node: HeartbeatNode;
  readonly config: () => Config;
  readonly addresses: NodeAddresses;
  /** An address of this machine that others may reach. */
  readonly publicAddress: () => string;
  readonly summaries: () => SummariesJson["data"];
  readonly post: HttpPoster["post"];
  readonly clock: Clock;
}

/** SRS's `heartbeat`: tells a server again and again that this one is alive. Source: ossrs/srs trunk/src/app/srs_app_heartbeat.cpp. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #abort = new AbortController();
  #lastProblem = "";

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begins, or goes on by the configuration as it is now. */
  start(): void {
    this.stop();
    this.#abort = new AbortController();
    if (this.#options.config().heartbeat.enabled) inBackground(this.#beat(this.#abort.signal), "heartbeat");
  }

  stop(): void {
    this.#abort.abort(new Error("heartbeats are over"));
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #beat(stopped: AbortSignal): Promise<void> {
    const { config, clock } = this.#options;
    const { interval_ms: intervalMs } = config().heartbeat;
    await this.#send(stopped);
    if (stopped.aborted) return;
    this.#timer = clock.setTimer(() => inBackground(this.#beat(stopped), "heartbeat"), intervalMs);
  }

  async #send(stopped: AbortSignal): Promise<void> {
    const { config, post, clock } = this.#options;
    const { url } = config().heartbeat;
    const late = new AbortController();
    const timer = clock.setTimer(
      () => late.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    );
    try {
      const { status } = await post(url, JSON.stringify(heartbeatBody(this.#options)), {
        headers: { "Content-Type": "application/json", "User-Agent": SIGNATURE },
        signal: AbortSignal.any([late.signal, stopped]),
        maxBytes: MAX_ANSWER_BYTES,
        tls: { isUnverified: false },
      });
      this.#note(status === 200 ? "" : `status is ${status}`);
    } catch (error) {
      if (!stopped.aborted) this.#note(errorText(error));
    } finally {
      clock.clearTimer(timer);
    }
  }

  /** Says a problem once, and that it is over. */
  #note(problem: string): void {
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    const { host } = new URL(this.#options.config().heartbeat.url);
    if (problem === "") log.info("Heartbeat is taken again", { peer: host });
    else log.warn("Heartbeat failed", { peer: host, reason: problem });
  }
}

/** What one heartbeat says, with SRS's names in SRS's order. */
export function heartbeatBody(
  { node, config, addresses, publicAddress, summaries }: HeartbeatOptions,
): Record<string, unknown> {
  const { heartbeat } = config();
  return {
    device_id: heartbeat.device_id,
    ip: publicAddress(),
    server: node.serverId,
    service: node.serviceId,
    pid: String(node.pid),
    ...(heartbeat.summaries ? { summaries: { code: 0, data: summaries() } } : {}),
    ...(heartbeat.ports
      ? {
        rtmp: addresses.rtmp.map(listenText),
        http: addresses.httpServer.map(listenText),
        api: addresses.httpApi.map(listenText),
      }
      : {}),
  };
}

/** As it would stand in a configuration: a port alone where it is open on all addresses. */
function listenText({ hostname, port }: SocketAddress): string {
  if (hostname === "0.0.0.0" || hostname === "::") return String(port);
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
