/**
 * The table of docs/performance.md: all of it from one run, and what nginx-rtmp needs for the same beside it.
 *
 * @module
 */
import { type Columns, fixed, headLines, replaceBetween, rowLine } from "./markdown.ts";
import { measureRow } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { machineDescription } from "./machine.ts";
import type { Result } from "./row.ts";
import { type Measured, TABLE, type TableRow } from "./table_rows.ts";

/** Between these a document has the table. */
export const TABLE_MARKERS = ["<!-- deno task bench --table -->", "<!-- end of the table -->"] as const;

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
  ["first media p50 ms", ({ result }) => fixed(result?.firstMediaP50Ms, 1)],
  ["p99 ms", ({ result }) => fixed(result?.firstMediaP99Ms, 1)],
  ["nginx-rtmp p50", ({ nginxResult }) => fixed(nginxResult?.firstMediaP50Ms, 1)],
  ["delay p50 ms", ({ result }) => fixed(result?.delayP50Ms, 1)],
  ["p99 ms", ({ result }) => fixed(result?.delayP99Ms, 1)],
  ["load %", ({ result }) => fixed(result?.loadCpuPercent, 0)],
  ["machine %", ({ result }) => fixed(result?.machineBusyPercent, 0)],
  ["", noteOf],
];

/** Measures all of the table, tells each row as soon as it is known, and then writes it where the options say. */
export async function runTable(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const rows = TABLE.filter(({ name }) => name.includes(options.tableRows));
  const done: Measured[] = [];
  const description = await machineDescription(options.hasNginx);
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
  if (
    done.some(({ result, nginx, nginxResult }) =>
      result === undefined || options.hasNginx && nginx !== undefined && nginxResult === undefined
    )
  ) Deno.exitCode = 1;
}

async function measure(row: TableRow, done: readonly Measured[], options: BenchOptions): Promise<Measured> {
  const seconds = options.seconds * (row.windows ?? 1);
  try {
    const result = await measureRow(row.row, seconds, options.serverFlags);
    if (!options.hasNginx || row.nginx === undefined) return { ...row, result };
    try {
      const nginxResult = row.nginx === row.name
        ? await measureRow(row.row, seconds, [], "nginx-rtmp")
        : done.find(({ name }) => name === row.nginx)?.nginxResult;
      return nginxResult === undefined ? { ...row, result } : { ...row, result, nginxResult };
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
