/**
 * `deno task bench`: starts the server and its load in processes of their own, and prints what serving costs.
 * docs/performance.md says how each column is measured.
 *
 * @module
 */
import { Child } from "./child.ts";
import { compileBare, measureBare } from "./bare_loop.ts";
import { type IdleEdgeResult, measureIdleEdge } from "./idle_edge.ts";
import { type Columns, fixed, headLines, rowLine } from "./markdown.ts";
import { measureRow } from "./measure.ts";
import type { Result, Row, RowKind } from "./row.ts";
import { hasNginx } from "./servers.ts";
import { runTable } from "./table.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { chosenRows, hasIdleEdge } from "./rows.ts";

const NAMES: Readonly<Record<RowKind, string>> = {
  players: "players",
  publishers: "publishers",
  unwatched: "publishers, nobody plays",
  recorded: "publishers, recorded",
  streams: "streams",
  flv: "HTTP-FLV players",
  edge: "players of an edge",
  cluster: "streams in a cluster of two",
  joins: "players who join",
};

/** Where the bare loop sends the same bytes as the server. */
const BARE_KINDS: readonly RowKind[] = ["players", "flv", "edge"];
/** What nginx-rtmp can do too. */
const NGINX_KINDS: readonly RowKind[] = ["players", "publishers", "unwatched", "streams", "joins"];

/** A row with what nginx-rtmp did in its place, where that was asked for. */
interface Measured extends Result {
  readonly nginx?: Result;
}

const COLUMNS: Columns<Measured> = [
  ["", nameOf],
  ["kbps", ({ kbps }) => String(kbps)],
  ["mw_latency", ({ latency }) => latency],
  ["CPU s/GB", ({ cpuSecondsPerGb }) => fixed(cpuSecondsPerGb, 2)],
  ["CPU %", ({ cpuPercent }) => fixed(cpuPercent, 1)],
  ["nginx-rtmp CPU %", ({ nginx }) => fixed(nginx?.cpuPercent, 1)],
  ["ratio to nginx-rtmp", (result) => fixed(nginxRatio(result), 2)],
  ["bare C s/GB", ({ bareCpuSecondsPerGb }) => fixed(bareCpuSecondsPerGb, 2)],
  ["ratio", (result) => fixed(ratio(result), 1)],
  ["RSS MB", ({ rssMegabytes }) => fixed(rssMegabytes, 0)],
  ["delay p50 ms", ({ delayP50Ms }) => fixed(delayP50Ms, 1)],
  ["p99 ms", ({ delayP99Ms }) => fixed(delayP99Ms, 1)],
  ["first media p50 ms", ({ firstMediaP50Ms }) => fixed(firstMediaP50Ms, 1)],
  ["writes/s", ({ writesPerSecond }) => fixed(writesPerSecond, 1)],
  ["load %", ({ loadCpuPercent }) => fixed(loadCpuPercent, 0)],
  ["machine busy %", ({ machineBusyPercent }) => fixed(machineBusyPercent, 0)],
  ["failed", ({ failed, reason }) => `${failed} ${reason ?? ""}`.trim()],
];

const IDLE_EDGE_COLUMNS: Columns<IdleEdgeResult> = [
  ["kbps", ({ kbps }) => String(kbps)],
  ["mw_latency", ({ latency }) => latency],
  ["messages", ({ messages }) => String(messages)],
  ["origin p50 ms", ({ originP50Ms }) => fixed(originP50Ms, 2)],
  ["edge p50 ms", ({ edgeP50Ms }) => fixed(edgeP50Ms, 2)],
  ["added p50 ms", ({ originP50Ms, edgeP50Ms }) => fixed((edgeP50Ms ?? NaN) - (originP50Ms ?? NaN), 2)],
  ["origin p99 ms", ({ originP99Ms }) => fixed(originP99Ms, 2)],
  ["edge p99 ms", ({ edgeP99Ms }) => fixed(edgeP99Ms, 2)],
  ["machine busy %", ({ machineBusyPercent }) => fixed(machineBusyPercent, 0)],
];

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      Child.killAll();
      Deno.exit(130);
    });
  }
  const isNginxThere = options.hasNginx && hasNginx();
  if (options.isTable) return await runTable({ ...options, hasNginx: isNginxThere }, print);
  if (options.hasNginx && !isNginxThere) {
    print("Cannot measure against nginx-rtmp: the packages nginx and libnginx-mod-rtmp are not installed");
    Deno.exit(1);
  }
  const directory = await Deno.makeTempDir();
  const bare = options.hasBare ? compileBare(directory) : undefined;
  const results: Measured[] = [];
  const idleEdge: IdleEdgeResult[] = [];
  try {
    for (const line of ["", ...headLines(COLUMNS)]) print(line);
    for (const row of chosenRows(options)) {
      try {
        const result = await measure(row, options, bare);
        results.push(result);
        print(rowLine(COLUMNS, result));
      } catch (error) {
        // The other rows are worth having.
        print(`| ${nameOf(row)} | ${row.kbps} | ${row.latency} | not measured: ${error} |`);
        Deno.exitCode = 1;
      }
    }
    for (const line of edgeRatios(results)) print(line);
    if (hasIdleEdge(options)) {
      for (const line of ["", ...headLines(IDLE_EDGE_COLUMNS)]) print(line);
      for (const latency of options.latency ?? ["auto"]) {
        const result = await measureIdleEdge(latency, options.seconds, options.serverFlags);
        idleEdge.push(result);
        print(rowLine(IDLE_EDGE_COLUMNS, result));
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  if (options.json !== undefined) {
    await Deno.writeTextFile(
      options.json,
      `${JSON.stringify({ deno: Deno.version.deno, results, idleEdge }, null, 2)}\n`,
    );
  }
}

async function measure(row: Row, options: BenchOptions, bare: string | undefined): Promise<Measured> {
  const { seconds, serverFlags } = options;
  const measured = await measureRow(row, seconds, serverFlags);
  const hasBare = bare !== undefined && BARE_KINDS.includes(row.kind);
  const bareCpuSecondsPerGb = hasBare ? await measureBare(bare, measured, seconds) : undefined;
  const nginx = options.hasNginx && NGINX_KINDS.includes(row.kind)
    ? await measureRow(row, seconds, [], "nginx-rtmp")
    : undefined;
  return { ...measured, bareCpuSecondsPerGb, ...(nginx === undefined ? {} : { nginx }) };
}

function nameOf({ kind, count, playersEach }: Row): string {
  if (playersEach !== undefined) {
    return `${count} streams with ${playersEach} player${playersEach === 1 ? "" : "s"} each`;
  }
  return `${count} ${count === 1 ? NAMES[kind].replace("ers", "er") : NAMES[kind]}`;
}

/** CPU for the same bytes. */
function nginxRatio({ cpuSecondsPerGb, nginx }: Measured): number | undefined {
  return nginx === undefined ? undefined : cpuSecondsPerGb / nginx.cpuSecondsPerGb;
}

/** What serving costs at an edge, as a multiple of what it costs at the origin that was measured just before. */
function edgeRatios(results: readonly Result[]): string[] {
  return results.flatMap((edge, index) => {
    const origin = results[index - 1];
    if (edge.kind !== "edge" || origin?.count !== edge.count || origin.kbps !== edge.kbps) return [];
    const multiple = fixed(edge.cpuSecondsPerGb / origin.cpuSecondsPerGb, 2);
    return [
      `\n${edge.count} players at ${edge.kbps} kbps: CPU s/GB of the edge / of the origin = ${multiple}`,
    ];
  });
}

function ratio({ cpuSecondsPerGb, bareCpuSecondsPerGb }: Result): number | undefined {
  return bareCpuSecondsPerGb === undefined ? undefined : cpuSecondsPerGb / bareCpuSecondsPerGb;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) await main();
