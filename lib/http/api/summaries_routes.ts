// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import type { CpuSampler } from "./cpu_sampler.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { envelope, resource } from "../middleware/answer.ts";

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
      const nowMs = now();
      const data = {
        ok: cpu.sample(nowMs).process !== undefined && probe.memory() !== undefined,
        now_ms: nowMs,
        self: selfJson(view, probe, cpu, nowMs),
        system: systemJson(view, probe, cpu, nowMs),
      };
      return c.json(envelope(view, { data }));
    },
  });
}

function selfJson(
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  nowMs: number,
): Record<string, unknown> {
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
): Record<string, unknown> {
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
