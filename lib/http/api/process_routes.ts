import type { Hono } from "hono";
import type { CpuSample, CpuSampler } from "../metrics/cpu_sampler.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { envelope, resource } from "../middleware/answer.ts";
import { used } from "./summaries_routes.ts";

/** The kernel counts processor time in these in `/proc`, and SRS's answers do. */
const MS_PER_TICK = 10;
const PAGE_BYTES = 4096;

type Json = Record<string, unknown>;

/**
 * `/api/v1/rusages`, `self_proc_stats`, `system_proc_stats` and `meminfos`: what the operating system says. Fields that it says only in
 * `/proc`, which a process without every permission may not read, are 0.
 *
 * @param now Milliseconds since 1970.
 */
export function addProcessRoutes(
  app: Hono,
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  now: () => number,
): void {
  const add = (name: string, read: (nowMs: number) => Json): void => {
    resource(app, `/api/v1/${name}`, { GET: (c) => c.json(envelope(view, { data: read(now()) })) });
  };
  add("rusages", (nowMs) => usageJson(cpu.sample(nowMs)));
  add("self_proc_stats", (nowMs) => processJson(view, probe, cpu.sample(nowMs)));
  add("system_proc_stats", (nowMs) => processorsJson(cpu.sample(nowMs)));
  add("meminfos", (nowMs) => memoryJson(probe, nowMs));
}

function usageJson({ atMs, process }: CpuSample): Json {
  return {
    ok: process !== undefined,
    sample_time: atMs,
    ru_utime: Math.floor((process?.userMs ?? 0) / 1000),
    ru_stime: Math.floor((process?.systemMs ?? 0) / 1000),
    ru_maxrss: Math.round((process?.residentMaxBytes ?? 0) / 1024),
    ...zeros("ru_ixrss ru_idrss ru_isrss"),
    ru_minflt: process?.minorPageFaults ?? 0,
    ru_majflt: process?.majorPageFaults ?? 0,
    ru_nswap: 0,
    ru_inblock: process?.blocksRead ?? 0,
    ru_oublock: process?.blocksWritten ?? 0,
    ...zeros("ru_msgsnd ru_msgrcv ru_nsignals"),
    ru_nvcsw: process?.voluntarySwitches ?? 0,
    ru_nivcsw: process?.involuntarySwitches ?? 0,
  };
}

function processJson(view: ServerView, probe: SystemProbe, { atMs, process, processShare }: CpuSample): Json {
  return {
    ok: process !== undefined,
    sample_time: atMs,
    percent: processShare,
    pid: view.pid,
    comm: "(headwater)",
    state: "R",
    ppid: probe.parentPid,
    ...zeros("pgrp session tty_nr tpgid flags"),
    minflt: process?.minorPageFaults ?? 0,
    cminflt: 0,
    majflt: process?.majorPageFaults ?? 0,
    cmajflt: 0,
    utime: ticks(process?.userMs),
    stime: ticks(process?.systemMs),
    ...zeros("cutime cstime priority nice num_threads itrealvalue"),
    starttime: startTicks(view, probe, atMs),
    vsize: 0,
    rss: Math.round((process?.residentBytes ?? 0) / PAGE_BYTES),
    ...zeros("rsslim startcode endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan"),
    ...zeros(
      "nswap cnswap exit_signal processor rt_priority policy delayacct_blkio_ticks guest_time cguest_time",
    ),
  };
}

/** When the process started, in ticks after the machine did. */
function startTicks(view: ServerView, probe: SystemProbe, nowMs: number): number {
  const uptime = probe.uptimeSeconds();
  return uptime === undefined ? 0 : Math.max(0, ticks(uptime * 1000 - (nowMs - view.startedAtMs)));
}

function processorsJson({ atMs, system, systemShare }: CpuSample): Json {
  return {
    ok: system !== undefined,
    sample_time: atMs,
    percent: systemShare,
    user: ticks(system?.userMs),
    nice: ticks(system?.niceMs),
    sys: ticks(system?.systemMs),
    idle: ticks(system?.idleMs),
    iowait: 0,
    irq: ticks(system?.irqMs),
    ...zeros("softirq steal guest"),
  };
}

function memoryJson(probe: SystemProbe, nowMs: number): Json {
  const memory = probe.memory();
  const kilobytes = (bytes: number = 0): number => Math.round(bytes / 1024);
  const { total = 0, free = 0, available = 0 } = memory ?? {};
  return {
    ok: memory !== undefined,
    sample_time: nowMs,
    percent_ram: used(memory?.total, memory?.available),
    percent_swap: used(memory?.swapTotal, memory?.swapFree),
    MemActive: kilobytes(total - free),
    RealInUse: kilobytes(total - available),
    NotInUse: kilobytes(available),
    MemTotal: kilobytes(total),
    MemFree: kilobytes(free),
    Buffers: kilobytes(memory?.buffers),
    Cached: kilobytes(memory?.cached),
    SwapTotal: kilobytes(memory?.swapTotal),
    SwapFree: kilobytes(memory?.swapFree),
  };
}

function ticks(milliseconds: number = 0): number {
  return Math.floor(milliseconds / MS_PER_TICK);
}

function zeros(names: string): Json {
  return Object.fromEntries(names.split(" ").map((name) => [name, 0]));
}
