/** What a row is about. */
export type RowKind =
  /** Players of one stream. */
  | "players"
  /** The same over HTTP-FLV. */
  | "flv"
  /** Players of an edge. */
  | "edge"
  /** Publishers one of whom is played; then players come to some of the others. */
  | "publishers"
  /** Publishers whom nobody plays. */
  | "unwatched"
  /** Such whose streams are recorded. */
  | "recorded"
  /** Publishers who are all played. */
  | "streams"
  /** The same at two origins of a cluster: every stream is played as often at its own as at the other, which relays it. */
  | "cluster"
  /** Players who come, for as long as they are coming. */
  | "joins";

/** All of them, as the command line knows them. */
export const ROW_KINDS: readonly RowKind[] = [
  "players",
  "publishers",
  "unwatched",
  "recorded",
  "streams",
  "flv",
  "edge",
  "cluster",
  "joins",
];

/** What is measured: this program, or nginx-rtmp as the system's package has it. */
export type Subject = "headwater" | "nginx-rtmp";

/** One row of the table: what is asked for. */
export interface Row {
  readonly kind: RowKind;
  readonly count: number;
  readonly kbps: number;
  /** `mw_latency`. */
  readonly latency: string;
  /** Players of each stream, where all are played. */
  readonly playersEach?: number;
  /** Connections begun a second; 200 where nothing is said. */
  readonly joinsPerSecond?: number;
  /** Players come by TLS. */
  readonly isEncrypted?: boolean;
  /** A backend is asked about each client. */
  readonly hasHooks?: boolean;
  /** One more stream is played by two, who look at each message's delay. Where a stream is played by a crowd, it is that one. */
  readonly isProbed?: boolean;
}

/** One row: what came out. */
export interface Result extends Row {
  readonly seconds: number;
  /** Delivered to players, or taken in from publishers, in the window. */
  readonly bytes: number;
  readonly cpuPercent: number;
  readonly cpuSecondsPerGb: number;
  /** Of rows about joining: what a player costs until all have media. */
  readonly cpuMsPerJoin: number | undefined;
  readonly rssMegabytes: number;
  readonly delayP50Ms: number | undefined;
  readonly delayP99Ms: number | undefined;
  readonly firstMediaP50Ms: number | undefined;
  readonly firstMediaP99Ms: number | undefined;
  /** Writes a second to one player, as a probe sees them. */
  readonly writesPerSecond: number;
  /** The bare send() loop for the same bytes at the same rhythm. */
  readonly bareCpuSecondsPerGb: number | undefined;
  readonly failed: number;
  /** Why the first connection failed. */
  readonly reason: string | undefined;
  /** What the busiest load process used, of one core: near 100 the load is what is measured. */
  readonly loadCpuPercent: number;
  /** Share of all cores that anything kept busy in the window: high or uneven values make a doubtful row. */
  readonly machineBusyPercent: number;
}
