import type { Result, Row } from "./row.ts";

/** One line of the table that `deno task bench --table` prints. */
export interface TableRow {
  readonly name: string;
  readonly row: Row;
  /** nginx-rtmp serves this row of the table's too; under the name of another row it is not measured again. */
  readonly nginx?: string;
  /** Name of the row that serves the same in another way: how many times its CPU this one takes is part of the note. */
  readonly besides?: string;
  /** Times the usual window: what costs little is measured for longer. */
  readonly windows?: number;
}

/** A row with what came out; without a result where it failed. */
export interface Measured extends TableRow {
  readonly result?: Result;
  readonly nginxResult?: Result;
  /** How many times the CPU of the row that it is set beside it took. */
  readonly timesBesides?: number;
  /** Why a result is not there. */
  readonly error?: string;
}

const KBPS = 300;
const AUTO = { kbps: KBPS, latency: "auto" } as const;

/** What nginx-rtmp serves too, in a run of its own. */
function against(name: string, row: Row, more: Partial<TableRow> = {}): TableRow {
  return { name, row, nginx: name, ...more };
}

/** The whole table, in the order in which it is measured: what the first lines say is what one asks first. */
export const TABLE: readonly TableRow[] = [
  against("20 publishers, nobody plays", { ...AUTO, kind: "unwatched", count: 20 }, { windows: 2 }),
  against("200 publishers, nobody plays", { ...AUTO, kind: "unwatched", count: 200 }),
  against("500 publishers, nobody plays", { ...AUTO, kind: "unwatched", count: 500 }),
  against("500 publishers, one is played", { ...AUTO, kind: "publishers", count: 500 }),
  against("200 streams, 1 player each", { ...AUTO, kind: "streams", count: 200, playersEach: 1 }),
  against("50 streams, 10 players each", { ...AUTO, kind: "streams", count: 50, playersEach: 10 }),
  against("200 players", { ...AUTO, kind: "players", count: 200 }),
  against("1000 players", { ...AUTO, kind: "players", count: 1000 }),
  {
    name: "200 players, `mw_latency` 100",
    row: { kind: "players", count: 200, kbps: KBPS, latency: "100" },
    nginx: "200 players",
  },
  {
    name: "1000 players, `mw_latency` 100",
    row: { kind: "players", count: 1000, kbps: KBPS, latency: "100" },
    nginx: "1000 players",
  },
  { name: "200 HTTP-FLV players", row: { ...AUTO, kind: "flv", count: 200 } },
  { name: "900 HTTP-FLV players", row: { ...AUTO, kind: "flv", count: 900 } },
  {
    name: "200 players by RTMPS",
    row: { ...AUTO, kind: "players", count: 200, isEncrypted: true },
    besides: "200 players",
  },
  {
    name: "200 HTTPS-FLV players",
    row: { ...AUTO, kind: "flv", count: 200, isEncrypted: true },
    besides: "200 HTTP-FLV players",
  },
  against("1000 players join, 500 a second", { ...AUTO, kind: "joins", count: 1000, joinsPerSecond: 500 }),
  {
    name: "1000 players join within a second",
    row: { ...AUTO, kind: "joins", count: 1000, joinsPerSecond: 1000 },
  },
  {
    name: "the same, a backend asked by HTTP hooks",
    row: { ...AUTO, kind: "joins", count: 1000, joinsPerSecond: 1000, hasHooks: true },
    besides: "1000 players join within a second",
  },
  { name: "100 streams, 4 players each", row: { ...AUTO, kind: "streams", count: 100, playersEach: 4 } },
  {
    name: "the same in a cluster of two, half of the plays relayed",
    row: { ...AUTO, kind: "cluster", count: 100, playersEach: 4 },
    besides: "100 streams, 4 players each",
  },
  growing("100 streams, 10 players each", { kind: "streams", count: 100, playersEach: 10 }),
  growing("100 streams, 20 players each", { kind: "streams", count: 100, playersEach: 20 }),
  growing("100 streams, 50 players each", { kind: "streams", count: 100, playersEach: 50 }),
  growing("1000 publishers, nobody plays", { kind: "unwatched", count: 1000 }),
  growing("2000 publishers, nobody plays", { kind: "unwatched", count: 2000 }),
];

function growing(name: string, row: Pick<Row, "kind" | "count" | "playersEach">): TableRow {
  return { name, row: { ...AUTO, ...row, joinsPerSecond: 500, isProbed: true } };
}
