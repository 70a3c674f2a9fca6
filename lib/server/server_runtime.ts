import { inBackground } from "../base/background.ts";
import { getLogger, type Logger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { randomId } from "../base/random_id.ts";
import type { RtmpError, RtmpErrorCode } from "../base/errors.ts";
import type { UpstreamTraffic } from "../base/upstream_traffic.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { StreamHub } from "../hub/stream_hub.ts";
import { ReadPacer } from "../net/read_pacer.ts";
import { WriteScheduler } from "../net/write_scheduler.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import type { Client } from "./client.ts";
import type { StreamRouter } from "./stream_router.ts";
import type { FindVhost } from "./vhost_settings.ts";

export interface ServerLimits {
  readonly wire: WireLimits;
  readonly handshakeTimeoutMs: number;
  /** How long a write may make no progress, in milliseconds. */
  readonly sendTimeoutMs: number;
  readonly streamKeyMaxBytes: number;
  readonly maxConnections: number;
  /** 0: no limit. */
  readonly maxConnectionsPerIp: number;
}

export interface ServerRuntimeOptions {
  readonly version: string;
  readonly processId: number;
  readonly findVhost: FindVhost;
  readonly limits: () => ServerLimits;
  readonly router: StreamRouter;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
}

/** Counts of a server's life. */
export interface ServerCounters {
  clientsTotal: number;
  clientErrorsTotal: number;
  /** Of connections that have ended. */
  closedReceiveBytes: number;
  closedSendBytes: number;
  closedJumps: number;
  /** The same bytes by the vhost that they asked for. */
  readonly closedByVhost: Map<string, { receiveBytes: number; sendBytes: number }>;
  readonly errors: Map<RtmpErrorCode, number>;
}

/** How far a connection came. */
export interface ConnectionEnd {
  /** It asked to publish or play. */
  readonly hasAsked: boolean;
  /** And was let in. */
  readonly hasStarted: boolean;
  /** Absent: the peer closed. */
  readonly reason: RtmpError | undefined;
}

/** Ends that are nobody's failure. */
const GOODBYES: ReadonlySet<RtmpErrorCode> = new Set([
  "kicked",
  "redirected",
  "play-duration",
  "shutting-down",
  "taken-over",
  "media-changed",
]);

/** What all connections of one server share: its streams, its write rounds, its time. */
export class ServerRuntime {
  readonly options: ServerRuntimeOptions;
  readonly hub: StreamHub;
  readonly log: Logger = getLogger(["headwater", "server"]);
  readonly counters: ServerCounters = {
    clientsTotal: 0,
    clientErrorsTotal: 0,
    closedReceiveBytes: 0,
    closedSendBytes: 0,
    closedJumps: 0,
    closedByVhost: new Map(),
    errors: new Map(),
  };
  /** Keys of streams whose publisher waits to be let in: nobody else may ask for them meanwhile. */
  readonly pendingPublishes: Set<string> = new Set();
  /** What was received from and sent to other servers since the start, by the vhost's name. */
  readonly upstreamTraffic: Map<string, UpstreamTraffic> = new Map();
  readonly #schedulers = new Map<number | "auto", WriteScheduler>();
  readonly #pacers = new Map<number | "auto", ReadPacer>();

  constructor(options: ServerRuntimeOptions) {
    this.options = options;
    this.hub = new StreamHub((output, stream) => {
      if (output.cursors.size > 0) this.scheduler(stream.options.gatherMs).markDirty(output);
    });
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.options.clock.now();
  }

  /** The write rounds of all players with this gather time. */
  scheduler(gatherMs: number | "auto"): WriteScheduler {
    let scheduler = this.#schedulers.get(gatherMs);
    if (scheduler === undefined) {
      scheduler = new WriteScheduler(gatherMs, this.options.clock);
      this.#schedulers.set(gatherMs, scheduler);
    }
    return scheduler;
  }

  /** The read slots of all publishers with this pause. */
  pacer(pauseMs: number | "auto"): ReadPacer {
    let pacer = this.#pacers.get(pauseMs);
    if (pacer === undefined) {
      pacer = new ReadPacer(pauseMs, this.options.clock);
      this.#pacers.set(pauseMs, pacer);
    }
    return pacer;
  }

  /**
   * What to wait for before a feed is read again: see `ReadPacer.pause`.
   *
   * @param readPauseMs `publish.mr_latency`.
   */
  pauseReading(
    stream: LiveStream | undefined,
    readPauseMs: number | "auto",
    bytesPerSecond: number,
  ): Promise<void> | undefined {
    const pacer = this.pacer(readPauseMs);
    if (stream === undefined) return pacer.pause();
    if (stream.playerCount === 0) {
      const pause = pacer.pauseUnwatched(bytesPerSecond);
      return pause && untilWoken(stream, pause);
    }
    const { gatherMs, untilRoundMs } = this.scheduler(stream.options.gatherMs);
    return pacer.pause({ gatherMs, inMs: untilRoundMs }, bytesPerSecond);
  }

  /**
   * Takes a connection that has ended into the books. One that was refused is a client that failed, as in SRS; one that never asked
   * for anything is none.
   */
  countEnd(client: Client, { hasAsked, hasStarted, reason }: ConnectionEnd): void {
    const { counters } = this;
    counters.closedReceiveBytes += client.receiveBytes;
    counters.closedSendBytes += client.sendBytes;
    counters.closedJumps += client.jumps;
    if (reason !== undefined) this.countError(reason.code);
    if (!hasAsked) return;
    if (!hasStarted) counters.clientsTotal++;
    if (reason !== undefined && !GOODBYES.has(reason.code)) counters.clientErrorsTotal++;
    if (client.vhost === undefined) return;
    const { name } = client.vhost;
    const closed = counters.closedByVhost.get(name) ?? { receiveBytes: 0, sendBytes: 0 };
    closed.receiveBytes += client.receiveBytes;
    closed.sendBytes += client.sendBytes;
    counters.closedByVhost.set(name, closed);
  }

  /** Where what is received from and sent to other servers for a vhost is counted. */
  trafficOf(vhost: string): UpstreamTraffic {
    let traffic = this.upstreamTraffic.get(vhost);
    if (traffic === undefined) {
      traffic = { receivedBytes: 0, sentBytes: 0 };
      this.upstreamTraffic.set(vhost, traffic);
    }
    return traffic;
  }

  countError(code: RtmpErrorCode): void {
    this.counters.errors.set(code, (this.counters.errors.get(code) ?? 0) + 1);
  }

  /** An id of SRS's kind: 8 characters of a-z and 0-9. */
  newId(): string {
    return randomId(this.options.randomBytes, 8);
  }

  close(): void {
    for (const scheduler of this.#schedulers.values()) scheduler.close();
    for (const pacer of this.#pacers.values()) pacer.close();
  }
}

/** Resolves with the pause, or at once when somebody plays the stream, or its feed ends. */
function untilWoken(stream: LiveStream, pause: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      stream.wakeListeners.delete(wake);
      resolve();
    };
    stream.wakeListeners.add(wake);
    inBackground(pause.then(wake), "pause between two reads");
  });
}
