import { DEFAULT_CHUNK_SIZE } from "../wire/limits.ts";
import { getLogger, type Logger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/random_id.ts";
import type { RtmpErrorCode } from "../base/errors.ts";
import type { StreamHub } from "../hub/stream_hub.ts";
import type { RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import type { Access } from "../access/access.ts";
import { Tally } from "../base/tally.ts";
import { ServerSession } from "../session/server_session.ts";
import { ClientBooks, type ServerCounters } from "./client_books.ts";
import { ClientEvents } from "./client_events.ts";
import { ClientLog } from "./client_log.ts";
import { type JoinTimes, newJoinTimes } from "./join_times.ts";
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

/** How long a connection may do neither after connect or after it stopped, in milliseconds: SRS's republish wait. */
const IDLE_TIMEOUT_MS = 180_000;

/** What all connections of one server share: its streams, its books, its time. */
export class ServerRuntime {
  readonly options: ServerRuntimeOptions;
  readonly streams: StreamRounds;
  readonly hub: StreamHub;
  readonly log: Logger = getLogger(["headwater", "server"]);
  /** What happens to clients is told here. */
  readonly events: ClientEvents;
  readonly #books = new ClientBooks();
  /** Keys of streams whose publisher waits to be let in: nobody else may ask for them meanwhile. */
  readonly pendingPublishes: Set<string> = new Set();
  readonly joins: JoinTimes = newJoinTimes();
  /** Plays that were sent to another node, by how they were told. */
  readonly redirects: Tally<"kind"> = new Tally([{ kind: "redirect" }, { kind: "reconnect" }]);
  /** It is about to stop: nobody new is let in, but nodes that relay what is published here. */
  isDraining = false;

  constructor(options: ServerRuntimeOptions) {
    this.options = options;
    this.streams = options.streams;
    this.hub = options.streams.hub;
    const { clock, access } = options;
    this.events = new ClientEvents(this.#books, new ClientLog(this.log, clock), {
      closed(client, { hasAsked }) {
        if (hasAsked) access.closed(client.id, client);
      },
    });
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.options.clock.now();
  }

  get counters(): ServerCounters {
    return this.#books.counters;
  }

  countError(code: RtmpErrorCode): void {
    this.#books.countError(code);
  }

  /**
   * A session for a new connection.
   *
   * @param serverIp The address that it came to.
   */
  newSession(connectionId: string, serverIp: string): ServerSession {
    const { limits, findVhost, version, processId, randomBytes } = this.options;
    const { wire, handshakeTimeoutMs } = limits();
    const defaults = findVhost("");
    return new ServerSession({
      limits: wire,
      chunkSize: defaults?.stream.chunkSize ?? DEFAULT_CHUNK_SIZE,
      outAckSize: defaults?.outAckSize ?? 2_500_000,
      inAckSize: defaults?.inAckSize ?? 0,
      handshakeTimeoutMs,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      randomBytes,
      identity: { signature: `Headwater/${version}`, version, serverIp, processId, connectionId },
    }, this.now());
  }

  /** An id of SRS's kind: 8 characters of a-z and 0-9. */
  newId(): string {
    return newId(this.options.randomBytes);
  }
}
