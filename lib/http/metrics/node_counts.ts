import type { HistogramReading } from "../../base/histogram.ts";
import type { TallySample } from "../../base/tally.ts";

/** Readings of a histogram by the value of its one label. */
export type ReadingsBy<Value extends string> =
  readonly (readonly [value: Value, reading: HistogramReading])[];

/** What only the metrics tell of a node, beside `ServerTotals`. Durations are in seconds. */
export interface NodeCounts {
  /** Clients that may be connected at a time: as configured, or fewer where there are not enough descriptors. */
  readonly connectionsLimit: number;
  readonly publishers: number;
  readonly playersByProtocol: Readonly<Record<string, number>>;
  /** Streams that somebody feeds, and those that only have players who wait. */
  readonly streamsByState: Readonly<Record<"live" | "waiting", number>>;
  /** What other servers have sent and been sent; part of `ServerTotals`' bytes. */
  readonly serverBytes: { readonly received: number; readonly sent: number };
  /** Players sent to another node, by how they were told. */
  readonly redirectsTotal: readonly TallySample[];
  /** Streams pulled from other nodes, by whether media comes now. */
  readonly pullsByState: Readonly<Record<"feeding" | "searching", number>>;
  /** Publishers ended since another node's claim to their stream holds. */
  readonly publishConflictsTotal: number;
  /** Round trip of the slowest coworker's last answer; absent where none has answered. */
  readonly coworkerRoundTripSeconds?: number;
  /** Reloads of the configuration, by result. */
  readonly reloadsTotal: Readonly<Record<"success" | "failure", number>>;
  /** Whether the configuration in use is what was read last. */
  readonly isConfigCurrent: boolean;
  /** Absent where nothing was ever recorded. */
  readonly recordings?: {
    readonly byState: Readonly<Record<"recording" | "waiting" | "paused", number>>;
    readonly filesTotal: number;
    readonly writtenBytesTotal: number;
    /** By reason. */
    readonly failuresTotal: Readonly<Record<string, number>>;
  } | undefined;
  readonly joinSeconds: ReadingsBy<string>;
  readonly locateSeconds: ReadingsBy<string>;
  readonly hookSeconds: ReadingsBy<string>;
  readonly loopLagSeconds: HistogramReading;
}
