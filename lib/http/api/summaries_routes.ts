// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import type { CpuSampler } from "../metrics/cpu_sampler.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { envelope, resource } from "../middleware/answer.ts";

/** This process, in SRS's words: shares are 0..1 (`cpu_percent` 1 is one processor), `srs_uptime` is in seconds. */
export interface ProcessJson {
  readonly version: string;
  readonly pid: number;
  readonly ppid: number;
  readonly argv: string;
  readonly cwd: string;
  readonly mem_kbyte: number;
  readonly mem_percent: number;
  readonly cpu_percent: number;
  readonly srs_uptime: number;
}

/** The machine, in SRS's words: shares are 0..1, `uptime` and `ilde_time` are in seconds. */
export interface SystemJson {
  readonly cpu_percent: number;
  readonly disk_read_KBps: number;
  readonly disk_write_KBps: number;
  readonly disk_busy_percent: number;
  readonly mem_ram_kbyte: number;
  readonly mem_ram_percent: number;
  readonly mem_swap_kbyte: number;
  readonly mem_swap_percent: number;
  readonly cpus: number;
  readonly cpus_online: number;
  readonly uptime: number;
  readonly ilde_time: number;
  readonly load_1m: number;
  readonly load_5m: number;
  readonly load_15m: number;
  readonly net_sample_time: number;
  readonly net_recv_bytes: number;
  readonly net_send_bytes: number;
  readonly net_recvi_bytes: number;
  readonly net_sendi_bytes: number;
  readonly srs_sample_time: number;
  readonly srs_recv_bytes: number;
  readonly srs_send_bytes: number;
  readonly conn_sys: number;
  readonly conn_sys_et: number;
  readonly conn_sys_tw: number;
  readonly conn_sys_udp: number;
  readonly conn_srs: number;
}

/** What `/api/v1/summaries` holds besides the envelope. */
export interface SummariesJson {
  readonly data: {
    readonly ok: boolean;
    /** Milliseconds since 1970. */
    readonly now_ms: number;
    readonly self: ProcessJson;
    readonly system: SystemJson;
  };
}

/**
 * `/api/v1/summaries`: the process and the machine at a glance.
 *
 * @param now Milliseconds since 1970.
 */
export function addSummariesRoutes(
  app: Hono,
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  now: () => number,
): void {
  resource(app, "/api/v1/summaries", {
    GET: (c) => {
      const data = summariesData(view, probe, cpu, now());
      return c.json(envelope<SummariesJson>(view, { data }));
    },
  });
}

/** @param nowMs Milliseconds since 1970. */
export function summariesData(
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  nowMs: number,
): SummariesJson["data"] {
  return {
    ok: cpu.sample(nowMs).process !== undefined && probe.memory() !== undefined,
    now_ms: nowMs,
    self: selfJson(view, probe, cpu, nowMs),
    system: systemJson(view, probe, cpu, nowMs),
  };
}

function selfJson(
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  nowMs: number,
): ProcessJson {
  const sample = cpu.sample(nowMs);
  const residentBytes = sample.process?.residentBytes ?? 0;
  const total = probe.memory()?.total ?? 0;
  return {
    version: view.version,
    pid: view.pid,
    ppid: probe.parentPid,
    argv: probe.commandLine,
    cwd: probe.workingDirectory,
    mem_kbyte: Math.round(residentBytes / 1024),
    mem_percent: total > 0 ? residentBytes / total : 0,
    cpu_percent: sample.processShare,
    srs_uptime: Math.floor(Math.max(0, nowMs - view.startedAtMs) / 1000),
  };
}

function systemJson(
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  nowMs: number,
): SystemJson {
  const sample = cpu.sample(nowMs);
  const memory = probe.memory();
  const [load1 = 0, load5 = 0, load15 = 0] = probe.load() ?? [];
  const totals = view.totals();
  const cpus = sample.system?.count ?? 0;
  return {
    cpu_percent: sample.systemShare,
    // Disks, network devices and other programs' sockets can't be read without full permissions; 0 as where SRS can't.
    disk_read_KBps: 0,
    disk_write_KBps: 0,
    disk_busy_percent: 0,
    mem_ram_kbyte: Math.round((memory?.total ?? 0) / 1024),
    mem_ram_percent: used(memory?.total, memory?.available),
    mem_swap_kbyte: Math.round((memory?.swapTotal ?? 0) / 1024),
    mem_swap_percent: used(memory?.swapTotal, memory?.swapFree),
    cpus,
    cpus_online: cpus,
    uptime: probe.uptimeSeconds() ?? 0,
    // SRS's spelling: existing programs look for it.
    ilde_time: (sample.system?.idleMs ?? 0) / 1000,
    load_1m: load1,
    load_5m: load5,
    load_15m: load15,
    net_sample_time: 0,
    net_recv_bytes: 0,
    net_send_bytes: 0,
    net_recvi_bytes: 0,
    net_sendi_bytes: 0,
    srs_sample_time: nowMs,
    srs_recv_bytes: totals.receiveBytes,
    srs_send_bytes: totals.sendBytes,
    conn_sys: 0,
    conn_sys_et: 0,
    conn_sys_tw: 0,
    conn_sys_udp: 0,
    conn_srs: totals.connections,
  };
}

/** The share of `total` that is not `left`, 0..1. */
export function used(total: number = 0, left: number = 0): number {
  return total > 0 ? (total - left) / total : 0;
}
