/**
 * `deno task bench:cluster`: starts clusters of real servers on this machine, some of whose coworkers are dead, and prints how long a
 * play at a wrong origin takes and what knowing each other costs. docs/performance-cluster.md says how each column is measured.
 *
 * @module
 */
import { Command } from "commander";
import { type LatencyResult, measureLatency } from "./cluster_latency.ts";
import { type LoopResult, type LoopRow, measureLoop } from "./cluster_loop.ts";
import { MAX_PROCESSES } from "./cluster_nodes.ts";
import { machineTicks } from "./process_usage.ts";

interface ClusterBenchOptions {
  readonly only: string | undefined;
  readonly nodes: readonly number[];
  readonly streams: readonly number[] | undefined;
  readonly seconds: number;
  readonly windows: number;
  readonly plays: number;
  readonly json: string | undefined;
}

type Column<T> = readonly [heading: string, cell: (result: T) => string];

const LATENCY_COLUMNS: readonly Column<LatencyResult & Load>[] = [
  ["play", ({ kind }) => kind],
  ["nodes", ({ nodes }) => String(nodes)],
  ["dead", ({ dead }) => String(dead)],
  ["coworkers", ({ isKnown }) => isKnown ? "known" : "not yet asked"],
  ["plays", ({ count }) => String(count)],
  ["p50 ms", ({ p50Ms }) => p50Ms.toFixed(1)],
  ["p95 ms", ({ p95Ms }) => p95Ms.toFixed(1)],
  ["max ms", ({ maxMs }) => maxMs.toFixed(1)],
  ["machine busy %", ({ machineBusyPercent }) => machineBusyPercent.toFixed(0)],
];

const LOOP_COLUMNS: readonly Column<LoopResult & Load>[] = [
  ["nodes", ({ nodes }) => String(nodes)],
  ["dead", ({ dead }) => String(dead)],
  ["own streams", ({ streams }) => String(streams)],
  ["of each coworker", ({ coworkerStreams }) => String(coworkerStreams)],
  ["changes/s each", ({ changesPerSecond }) => String(changesPerSecond)],
  ["signed", ({ isSigned }) => isSigned ? "yes" : "no"],
  ["CPU % of a core", ({ cpuPercent }) => cpuPercent.toFixed(2)],
  ["asked/s", ({ requestsPerSecond }) => requestsPerSecond.toFixed(1)],
  ["sent B/s", ({ requestBytesPerSecond }) => requestBytesPerSecond.toFixed(0)],
  ["received B/s", ({ responseBytesPerSecond }) => responseBytesPerSecond.toFixed(0)],
  ["all known after ms", ({ meetMs }) => meetMs.toFixed(0)],
  ["RSS MB", ({ rssMegabytes }) => rssMegabytes.toFixed(0)],
  ["machine busy %", ({ machineBusyPercent }) => machineBusyPercent.toFixed(0)],
];

/** What else the machine did. */
interface Load {
  readonly machineBusyPercent: number;
}

/** A fifth of the listed coworkers, half of them of either kind, so never fewer than two. */
function deadOf(nodes: number): number {
  return Math.max(2, 2 * Math.round((nodes - 1) / 8));
}

function parseOptions(args: readonly string[]): ClusterBenchOptions {
  const command = new Command("bench:cluster")
    .description("Measures clusters: plays at a wrong origin, and what the loop between nodes costs.")
    .option("--only <kind>", "latency or loop")
    .option("--nodes <list>", "numbers of nodes", "3,10,50")
    .option("--streams <list>", "only the loop's rows with these numbers of streams")
    .option("--seconds <number>", "length of one window of the loop", "8")
    .option("--windows <number>", "windows of each row of the loop, whose median counts", "3")
    .option("--plays <number>", "plays of a row", "150")
    .option("--quick", "short: to see that it works")
    .option("--json <file>", "write the results as JSON too");
  command.parse(args, { from: "user" });
  const given = command.opts<Record<string, string | boolean | undefined>>();
  const text = (name: string) => typeof given[name] === "string" ? given[name] : undefined;
  const numbers = (name: string) => text(name)?.split(",").map(Number);
  const only = text("only");
  if (only !== undefined && only !== "latency" && only !== "loop") {
    command.error(`Cannot take --only: value is ${only}, known are latency and loop`);
  }
  const isQuick = given["quick"] === true;
  return {
    only,
    nodes: isQuick ? [3] : numbers("nodes") ?? [],
    streams: numbers("streams"),
    seconds: isQuick ? 2 : Number(text("seconds")),
    windows: isQuick ? 1 : Number(text("windows")),
    plays: isQuick ? 15 : Number(text("plays")),
    json: text("json"),
  };
}

function loopRows({ nodes, streams }: ClusterBenchOptions): LoopRow[] {
  const none = { dead: 0, coworkerStreams: 0, changesPerSecond: 0, isSigned: false };
  const rows: LoopRow[] = [0, 10_000].map((streams) => ({ ...none, nodes: 1, streams }));
  for (const count of nodes) {
    const dead = deadOf(count);
    for (const isSigned of [false, true]) {
      // In a star only one node may have streams, and its neighbours none.
      if (count > MAX_PROCESSES) rows.push({ ...none, nodes: count, streams: 10_000, isSigned });
      for (const streams of [0, 10_000]) {
        rows.push({ ...none, nodes: count, dead, streams, coworkerStreams: streams, isSigned });
      }
    }
    rows.push({
      nodes: count,
      dead,
      streams: 10_000,
      coworkerStreams: 10_000,
      changesPerSecond: 20,
      isSigned: true,
    });
  }
  return rows.filter((row) => streams?.includes(row.streams) ?? true);
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const latency: (LatencyResult & Load)[] = [];
  const loop: (LoopResult & Load)[] = [];
  print(`Load average before: ${Deno.loadavg().map((load) => load.toFixed(1)).join(" ")}`);
  if (options.only !== "loop") {
    printHead(LATENCY_COLUMNS);
    for (const nodes of options.nodes) {
      const { plays } = options;
      const [results, load] = await underLoad(() => measureLatency({ nodes, dead: deadOf(nodes), plays }));
      for (const result of results) {
        latency.push({ ...result, ...load });
        printRow(LATENCY_COLUMNS, { ...result, ...load });
      }
    }
  }
  if (options.only !== "latency") {
    printHead(LOOP_COLUMNS);
    for (const row of loopRows(options)) {
      const [result, load] = await underLoad(() => measureLoop(row, options.seconds, options.windows));
      loop.push({ ...result, ...load });
      printRow(LOOP_COLUMNS, { ...result, ...load });
    }
  }
  if (options.json !== undefined) {
    const report = { deno: Deno.version.deno, latency, loop };
    await Deno.writeTextFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  // Publishers of clusters that are gone still have their clock.
  Deno.exit(0);
}

async function underLoad<T>(measure: () => Promise<T>): Promise<[T, Load]> {
  const before = machineTicks();
  const result = await measure();
  const after = machineTicks();
  return [result, { machineBusyPercent: (after[0] - before[0]) / (after[1] - before[1]) * 100 }];
}

function printHead<T>(columns: readonly Column<T>[]): void {
  print(`\n| ${columns.map(([heading]) => heading).join(" | ")} |`);
  print(`|${columns.map((_, index) => index === 0 ? "---|" : "--:|").join("")}`);
}

function printRow<T>(columns: readonly Column<T>[], result: T): void {
  print(`| ${columns.map(([, cell]) => cell(result)).join(" | ")} |`);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) await main();
