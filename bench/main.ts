/**
 * `deno task bench`: starts the server and its load in processes of their own, and prints what serving costs.
 * docs/performance.md says how each column is measured.
 *
 * @module
 */
import { Child } from "./child.ts";
import { compileBare, measureBare, measureRow, type Result, type Row } from "./measure.ts";
import { type BenchOptions, parseOptions } from "./options.ts";

const LATENCIES = ["auto", "0", "100", "350"];
const PLAYERS: readonly (readonly [count: number, kbps: number])[] = [
  [1, 300],
  [10, 300],
  [100, 300],
  [200, 300],
  [500, 300],
  [1000, 300],
  [200, 2000],
];
const PUBLISHERS = [100, 500];

const COLUMNS: readonly (readonly [heading: string, cell: (result: Result) => string])[] = [
  ["", ({ kind, count }) => count === 1 ? `1 ${kind.slice(0, -1)}` : `${count} ${kind}`],
  ["kbps", ({ kbps }) => String(kbps)],
  ["mw_latency", ({ latency }) => latency],
  ["CPU s/GB", ({ cpuSecondsPerGb }) => fixed(cpuSecondsPerGb, 2)],
  ["CPU %", ({ cpuPercent }) => fixed(cpuPercent, 1)],
  ["bare C s/GB", ({ bareCpuSecondsPerGb }) => fixed(bareCpuSecondsPerGb, 2)],
  ["ratio", (result) => fixed(ratio(result), 1)],
  ["RSS MB", ({ rssMegabytes }) => fixed(rssMegabytes, 0)],
  ["delay p50 ms", ({ delayP50Ms }) => fixed(delayP50Ms, 1)],
  ["p99 ms", ({ delayP99Ms }) => fixed(delayP99Ms, 1)],
  ["first media p50 ms", ({ firstMediaP50Ms }) => fixed(firstMediaP50Ms, 1)],
  ["writes/s", ({ writesPerSecond }) => fixed(writesPerSecond, 1)],
  ["machine busy %", ({ machineBusyPercent }) => fixed(machineBusyPercent, 0)],
  ["failed", ({ failed, reason }) => `${failed} ${reason ?? ""}`.trim()],
];

function chosenRows(options: BenchOptions): Row[] {
  const rows: Row[] = [];
  if (options.only !== "publishers" && (options.publishers === undefined || options.players !== undefined)) {
    for (const [count, kbps] of PLAYERS) {
      if (options.isQuick && options.players === undefined && !(count === 1 || count === 100)) continue;
      for (const latency of options.latency ?? LATENCIES) {
        rows.push({ kind: "players", count, kbps, latency });
      }
    }
  }
  if (options.only !== "players" && (options.players === undefined || options.publishers !== undefined)) {
    for (const count of options.isQuick ? PUBLISHERS.slice(0, 1) : PUBLISHERS) {
      rows.push({ kind: "publishers", count, kbps: 300, latency: "auto" });
    }
  }
  return rows.filter(({ kind, count, kbps }) =>
    ((kind === "players" ? options.players : options.publishers)?.includes(count) ?? true) &&
    (options.kbps?.includes(kbps) ?? true)
  );
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      Child.killAll();
      Deno.exit(130);
    });
  }
  const directory = await Deno.makeTempDir();
  const bare = options.hasBare ? compileBare(directory) : undefined;
  const results: Result[] = [];
  try {
    print(`| ${COLUMNS.map(([heading]) => heading).join(" | ")} |`);
    print(`|${COLUMNS.map((_, index) => index === 0 ? "---|" : "--:|").join("")}`);
    for (const row of chosenRows(options)) {
      try {
        const result = await measure(row, options, bare);
        results.push(result);
        print(`| ${COLUMNS.map(([, cell]) => cell(result)).join(" | ")} |`);
      } catch (error) {
        // The other rows are worth having.
        print(`| ${row.count} ${row.kind} | ${row.kbps} | ${row.latency} | not measured: ${error} |`);
        Deno.exitCode = 1;
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  if (options.json !== undefined) {
    await Deno.writeTextFile(
      options.json,
      `${JSON.stringify({ deno: Deno.version.deno, results }, null, 2)}\n`,
    );
  }
}

async function measure(row: Row, options: BenchOptions, bare: string | undefined): Promise<Result> {
  const measured = await measureRow(row, options.seconds, options.serverFlags);
  const hasBare = bare !== undefined && row.kind === "players";
  const bareCpuSecondsPerGb = hasBare ? await measureBare(bare, measured, options.seconds) : undefined;
  return { ...measured, bareCpuSecondsPerGb };
}

function ratio({ cpuSecondsPerGb, bareCpuSecondsPerGb }: Result): number | undefined {
  return bareCpuSecondsPerGb === undefined ? undefined : cpuSecondsPerGb / bareCpuSecondsPerGb;
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) await main();
