import type { Row, RowKind } from "./row.ts";
import type { BenchOptions } from "./options.ts";

type Crowd = readonly [count: number, kbps: number];

const LATENCIES = ["auto", "0", "100", "350"];
const PLAYERS: readonly Crowd[] = [
  [1, 300],
  [10, 300],
  [100, 300],
  [200, 300],
  [500, 300],
  [1000, 300],
  [200, 2000],
];
const FLV_LATENCIES = ["auto", "350"];
const FLV_PLAYERS: readonly Crowd[] = [[200, 300], [1000, 300], [200, 2000]];
const EDGE_LATENCIES = ["350"];
const EDGE_PLAYERS: readonly Crowd[] = [[1000, 300]];
const PUBLISHERS = [100, 500];
const UNWATCHED = [20, 200, 500];
const STREAMS: readonly (readonly [streams: number, playersEach: number])[] = [[200, 1], [50, 10]];

/** The rows that the options leave, in the order in which they are measured. */
export function chosenRows(options: BenchOptions): Row[] {
  return [
    ...playerRows(options),
    ...publisherRows(options),
    ...manyStreamsRows(options),
    ...flvRows(options),
    ...edgeRows(options),
    ...clusterRows(options),
    ...joinRows(options),
  ];
}

/** Whether the delay that an idle edge adds is asked for. */
export function hasIdleEdge(options: BenchOptions): boolean {
  return isWanted(options, "edge");
}

function playerRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "players")) return [];
  const isShort = options.isQuick && options.players === undefined;
  return crowdRows("players", PLAYERS.filter(([count]) => !isShort || count === 1 || count === 100), {
    ...options,
    latency: options.latency ?? LATENCIES,
  });
}

function publisherRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "publishers")) return [];
  const counts = options.isQuick ? PUBLISHERS.slice(0, 1) : PUBLISHERS;
  return crowdRows("publishers", counts.map((count) => [count, 300]), {
    ...options,
    players: options.publishers,
    latency: ["auto"],
  });
}

function manyStreamsRows(options: BenchOptions): Row[] {
  const rows: Row[] = [];
  if (isWanted(options, "unwatched")) {
    for (const count of options.publishers ?? UNWATCHED) {
      rows.push({ kind: "unwatched", count, kbps: 300, latency: "auto" });
    }
  }
  if (options.only === "recorded") {
    for (const count of options.publishers ?? [100]) {
      for (const kbps of options.kbps ?? [2000]) {
        rows.push({ kind: "recorded", count, kbps, latency: "auto" });
      }
    }
  }
  if (isWanted(options, "streams")) {
    for (const [count, playersEach] of STREAMS) {
      if (options.publishers?.includes(count) ?? true) {
        rows.push({ kind: "streams", count, playersEach, kbps: 300, latency: "auto" });
      }
    }
  }
  return options.isQuick ? rows.slice(0, 1) : rows;
}

function flvRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "flv")) return [];
  const crowds = options.isQuick ? FLV_PLAYERS.slice(0, 1) : given(options, FLV_PLAYERS);
  return crowdRows("flv", crowds, { ...options, latency: options.latency ?? FLV_LATENCIES });
}

/** Each after the row of an origin with the same players, which it is set against. */
function edgeRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "edge") || options.isQuick) return [];
  const rows = crowdRows("edge", given(options, EDGE_PLAYERS), {
    ...options,
    latency: options.latency ?? EDGE_LATENCIES,
  });
  return rows.flatMap((row) => [{ ...row, kind: "players" }, row]);
}

function clusterRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "cluster") || options.isQuick) return [];
  return (options.publishers ?? [100]).map((count) => ({
    kind: "cluster",
    count,
    playersEach: 4,
    kbps: 300,
    latency: "auto",
  }));
}

function joinRows(options: BenchOptions): Row[] {
  if (!isWanted(options, "joins") || options.isQuick) return [];
  return (options.players ?? [1000]).map((count) => ({
    kind: "joins",
    count,
    joinsPerSecond: 500,
    kbps: 300,
    latency: "auto",
  }));
}

/** Asked for by --only; without it, all that the numbers given are about. */
function isWanted({ only, players, publishers }: BenchOptions, kind: RowKind): boolean {
  if (only !== undefined) return only === kind;
  if (kind === "players") return publishers === undefined || players !== undefined;
  const isOfPublishers = kind === "publishers" || kind === "unwatched" || kind === "streams";
  if (isOfPublishers) return players === undefined || publishers !== undefined;
  return players === undefined && publishers === undefined;
}

/** Kinds with few rows take any number of players. */
function given({ players, kbps }: BenchOptions, crowds: readonly Crowd[]): readonly Crowd[] {
  if (players === undefined) return crowds;
  return players.flatMap((count) => (kbps ?? [300]).map((rate): Crowd => [count, rate]));
}

function crowdRows(
  kind: RowKind,
  crowds: readonly Crowd[],
  { players, kbps, latency }: Pick<BenchOptions, "players" | "kbps" | "latency">,
): Row[] {
  return crowds
    .filter(([count, rate]) => (players?.includes(count) ?? true) && (kbps?.includes(rate) ?? true))
    .flatMap(([count, rate]) =>
      (latency ?? []).map((value) => ({ kind, count, kbps: rate, latency: value }))
    );
}
