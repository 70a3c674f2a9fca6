/**
 * The table of docs/performance.md: all of it from one run, and what nginx-rtmp needs for the same beside it.
 *
 * @module
 */
import { type Columns, fixed, headLines, replaceBetween, rowLine, TABLE_MARKERS } from "./markdown.ts";
import { measureRow } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { machineDescription } from "./machine.ts";
import type { Result } from "./row.ts";
import { type Measured, TABLE, type TableRow } from "./table_rows.ts";

/** A load process that takes more of a core may be what is measured. */
const LOAD_LIMIT_PERCENT = 90;

/** The columns, ratios first. */
const COLUMNS: Columns<Measured> = [
  ["", ({ name }) => name],
  ["CPU ÷ nginx-rtmp's", (measured) => fixed(nginxRatio(measured), 2)],
  ["CPU %", ({ result }) => fixed(result?.cpuPercent, 1)],
  ["nginx-rtmp", ({ nginxResult }) => fixed(nginxResult?.cpuPercent, 1)],
  ["CPU s/GB", ({ result }) => fixed(result?.cpuSecondsPerGb, 2)],
  ["RSS MB", ({ result }) => fixed(result?.rssMegabytes, 0)],
  ["nginx-rtmp", ({ nginxResult }) => fixed(nginxResult?.rssMegabytes, 0)],
  ["first media ms", ({ result }) => pair(result?.firstMediaP50Ms, result?.firstMediaP99Ms)],
  ["nginx-rtmp", ({ nginxResult }) => pair(nginxResult?.firstMediaP50Ms, nginxResult?.firstMediaP99Ms)],
  ["delay ms", ({ result }) => pair(result?.delayP50Ms, result?.delayP99Ms)],
  ["nginx-rtmp", ({ nginxResult }) => pair(nginxResult?.delayP50Ms, nginxResult?.delayP99Ms)],
  ["load %", ({ result }) => fixed(result?.loadCpuPercent, 0)],
  ["machine %", ({ result }) => fixed(result?.machineBusyPercent, 0)],
  ["note", noteOf],
];

/** Measures all of the table, tells each row as soon as it is known, and then writes it where the options say. */
export async function runTable(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const begunMs = performance.now();
  const rows = TABLE.filter(({ name }) => name.includes(options.tableRows));
  const done: Measured[] = [];
  const description = await machineDescription(options.hasNginx, Deno.loadavg()[0] ?? 0);
  print(description);
  for (const line of ["", ...headLines(COLUMNS)]) print(line);
  const lines: string[] = [];
  for (const row of rows) {
    const measured = besides(await measure(row, done, options), done);
    done.push(measured);
    const line = rowLine(COLUMNS, measured);
    lines.push(line);
    print(line);
  }
  if (options.write !== undefined) {
    const text = await Deno.readTextFile(options.write);
    const block = [description, "", ...headLines(COLUMNS), ...lines];
    await Deno.writeTextFile(options.write, replaceBetween(text, TABLE_MARKERS, block));
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", options.write] }).output();
  }
  print(`\n${((performance.now() - begunMs) / 60_000).toFixed(1)} minutes.`);
  if (done.some(({ error }) => error !== undefined)) Deno.exitCode = 1;
}

async function measure(row: TableRow, done: readonly Measured[], options: BenchOptions): Promise<Measured> {
  const seconds = options.seconds * (row.windows ?? 1);
  try {
    const result = await measureRow(row.row, seconds, options.serverFlags);
    if (!options.hasNginx || row.nginx === undefined) return { ...row, result };
    try {
      // What it did for another row is not measured again; it knows no mw_latency.
      const nginxResult = done.find(({ name }) => name === row.nginx)?.nginxResult ??
        await measureRow(row.row, seconds, [], "nginx-rtmp");
      return { ...row, result, nginxResult };
    } catch (error) {
      return { ...row, result, error: `nginx-rtmp: ${messageOf(error)}` };
    }
  } catch (error) {
    // The other rows are worth having.
    return { ...row, error: `not measured: ${messageOf(error)}` };
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}

/** CPU for the same work. */
function nginxRatio({ result, nginxResult }: Measured): number | undefined {
  return result && nginxResult && workOf(result) / workOf(nginxResult);
}

/** What the work cost: each player's joining, or each byte. */
function workOf({ cpuMsPerJoin, cpuSecondsPerGb }: Result): number {
  return cpuMsPerJoin ?? cpuSecondsPerGb;
}

/** Median and p99. */
function pair(p50: number | undefined, p99: number | undefined): string {
  return p50 === undefined ? "" : `${fixed(p50, 1)} / ${fixed(p99, 1)}`;
}

function noteOf(measured: Measured): string {
  const { result, nginxResult, error } = measured;
  const notes = [...failures("", result), ...failures("nginx-rtmp: ", nginxResult)];
  if (error !== undefined) notes.push(error);
  if (result?.cpuMsPerJoin !== undefined) {
    const others = nginxResult && ` (nginx-rtmp ${fixed(nginxResult.cpuMsPerJoin, 2)} ms)`;
    notes.push(`${fixed(result.cpuMsPerJoin, 2)} ms of CPU for each player${others ?? ""}`);
  }
  if (measured.timesBesides !== undefined) {
    notes.push(`${fixed(measured.timesBesides, 2)} × the CPU of “${measured.besides}”`);
  }
  if ((result?.loadCpuPercent ?? 0) > LOAD_LIMIT_PERCENT) notes.push("the load client may be the limit");
  return notes.join("; ");
}

function failures(who: string, result: Result | undefined): string[] {
  return result === undefined || result.failed === 0
    ? []
    : [`${who}${result.failed} failed (${result.reason})`];
}

function besides(measured: Measured, done: readonly Measured[]): Measured {
  const other = done.find(({ name }) => name === measured.besides)?.result;
  const { result } = measured;
  return other && result ? { ...measured, timesBesides: workOf(result) / workOf(other) } : measured;
}
