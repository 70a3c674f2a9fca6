import { getLogger, type Logger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/random_id.ts";
import type { RtmpError, RtmpErrorCode } from "../base/errors.ts";
import type { StreamHub } from "../hub/stream_hub.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import type { Access } from "../access/access.ts";
import type { Client } from "./client.ts";
import type { StreamRounds } from "./stream_rounds.ts";
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
  readonly access: Access;
  readonly router: StreamRouter;
  readonly streams: StreamRounds;
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

/** What all connections of one server share: its streams, its books, its time. */
export class ServerRuntime {
  readonly options: ServerRuntimeOptions;
  readonly streams: StreamRounds;
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
  /** It is about to stop: nobody new is let in, but nodes that relay what is published here. */
  isDraining = false;

  constructor(options: ServerRuntimeOptions) {
    this.options = options;
    this.streams = options.streams;
    this.hub = options.streams.hub;
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.options.clock.now();
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
    this.options.access.closed(client.id, client);
    if (!hasStarted) counters.clientsTotal++;
    if (reason !== undefined && !GOODBYES.has(reason.code)) counters.clientErrorsTotal++;
    if (client.vhost === undefined) return;
    const { name } = client.vhost;
    const closed = counters.closedByVhost.get(name) ?? { receiveBytes: 0, sendBytes: 0 };
    closed.receiveBytes += client.receiveBytes;
    closed.sendBytes += client.sendBytes;
    counters.closedByVhost.set(name, closed);
  }

  countError(code: RtmpErrorCode): void {
    this.counters.errors.set(code, (this.counters.errors.get(code) ?? 0) + 1);
  }

  /** An id of SRS's kind: 8 characters of a-z and 0-9. */
  newId(): string {
    return newId(this.options.randomBytes);
  }
}
