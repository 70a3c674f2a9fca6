/** What a process has used so far. */
export interface ProcessUsage {
  /** User and system time of all its threads, in seconds. */
  readonly cpuSeconds: number;
  /** Resident memory, in megabytes (2^20). */
  readonly rssMegabytes: number;
  /** When this was read, in milliseconds by performance.now(). */
  readonly atMs: number;
}

/** Clock ticks a second in Linux's /proc, on every architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Reads /proc through `cat`: Deno reads there itself only with every permission. */
export function processUsage(pid: number): ProcessUsage {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/stat`, `/proc/${pid}/status`] })
    .outputSync();
  const text = new TextDecoder().decode(stdout);
  const fields = text.slice(text.indexOf(") ") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const rssKilobytes = Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssMegabytes: rssKilobytes / 1024, atMs: performance.now() };
}

/** How much of all cores was busy since boot, as [busy, all] in ticks; two readings give a share. */
export function machineTicks(): readonly [busy: number, all: number] {
  const { stdout } = new Deno.Command("cat", { args: ["/proc/stat"] }).outputSync();
  const line = new TextDecoder().decode(stdout).split("\n")[0] ?? "";
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, value) => sum + value, 0);
  return [all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all];
}
