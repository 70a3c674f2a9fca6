import type { CpuTimes, ProcessUsage, SystemProbe } from "../system_probe.ts";

/** Readings closer together than this share one result: over a shorter time a percentage is mostly noise. */
const MIN_INTERVAL_MS = 1000;

/** One reading, with the share of processor time used since the reading before it. */
export interface CpuSample {
  /** When it was taken, in milliseconds since 1970; 0 before the first. */
  readonly atMs: number;
  readonly process: ProcessUsage | undefined;
  /** 1 is one processor at work all the time. */
  readonly processShare: number;
  readonly system: CpuTimes | undefined;
  /** 1 is all processors at work all the time. */
  readonly systemShare: number;
}

/** Turns counters of processor time into percentages. Samples when it is asked, so that nobody asking costs nothing. */
export class CpuSampler {
  readonly #probe: Pick<SystemProbe, "processUsage" | "cpuTimes">;
  #last: CpuSample;

  /** @param startedAtMs When the process started: the first percentage is over its whole life. */
  constructor(probe: Pick<SystemProbe, "processUsage" | "cpuTimes">, startedAtMs: number) {
    this.#probe = probe;
    this.#last = {
      atMs: startedAtMs,
      process: undefined,
      processShare: 0,
      system: undefined,
      systemShare: 0,
    };
  }

  /** @param nowMs Milliseconds since 1970. */
  sample(nowMs: number): CpuSample {
    const last = this.#last;
    const elapsedMs = nowMs - last.atMs;
    const isFirst = last.process === undefined && last.system === undefined;
    if (!isFirst && elapsedMs >= 0 && elapsedMs < MIN_INTERVAL_MS) return last;
    const process = this.#probe.processUsage();
    const system = this.#probe.cpuTimes();
    const usedMs = busyMs(process) - busyMs(last.process);
    const totalMs = allMs(system) - allMs(last.system);
    const idleMs = (system?.idleMs ?? 0) - (last.system?.idleMs ?? 0);
    this.#last = {
      atMs: nowMs,
      process,
      processShare: elapsedMs > 0 ? Math.max(0, usedMs / elapsedMs) : 0,
      system,
      systemShare: totalMs > 0 ? Math.min(1, Math.max(0, 1 - idleMs / totalMs)) : 0,
    };
    return this.#last;
  }
}

function busyMs(usage: ProcessUsage | undefined): number {
  return usage === undefined ? 0 : usage.userMs + usage.systemMs;
}

function allMs(times: CpuTimes | undefined): number {
  return times === undefined ? 0 : times.userMs + times.niceMs + times.systemMs + times.idleMs + times.irqMs;
}
