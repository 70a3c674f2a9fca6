import process from "node:process";
import { arch, cpus, version } from "node:os";
import type { CpuTimes, HostFacts, ProcessUsage, SystemMemory, SystemProbe } from "../http/system_probe.ts";
import { ifKnown } from "./if_known.ts";

/** What `process.resourceUsage` answers; Deno 2.4 has no such function. */
interface ResourceUsage {
  readonly maxRSS: number;
  readonly minorPageFault: number;
  readonly majorPageFault: number;
  readonly fsRead: number;
  readonly fsWrite: number;
  readonly voluntaryContextSwitches: number;
  readonly involuntaryContextSwitches: number;
}

/** Node's machine names that `uname` spells differently. */
const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * The machine through the runtime's own functions: they work on every platform with `--allow-sys`, while the files of `/proc`
 * may only be read by a process with every permission.
 */
export class DenoSystemProbe implements SystemProbe {
  readonly parentPid: number = Deno.ppid;
  readonly commandLine: string = [process.argv[0] ?? "", ...Deno.args].join(" ");
  readonly workingDirectory: string = ifKnown(() => Deno.cwd()) ?? "";
  #residentMaxBytes = 0;

  host(): HostFacts | undefined {
    return ifKnown(() => ({
      sysname: { linux: "Linux", darwin: "Darwin", windows: "Windows_NT" }[Deno.build.os as string] ??
        Deno.build.os,
      nodename: Deno.hostname(),
      release: Deno.osRelease(),
      version: version(),
      machine: MACHINES[arch()] ?? arch(),
    }));
  }

  processUsage(): ProcessUsage | undefined {
    return ifKnown(() => {
      const cpu = process.cpuUsage();
      const resources = resourceUsage();
      const residentBytes = Deno.memoryUsage().rss;
      this.#residentMaxBytes = Math.max(
        this.#residentMaxBytes,
        residentBytes,
        (resources?.maxRSS ?? 0) * 1024,
      );
      return {
        userMs: cpu.user / 1000,
        systemMs: cpu.system / 1000,
        residentBytes,
        residentMaxBytes: this.#residentMaxBytes,
        minorPageFaults: resources?.minorPageFault ?? 0,
        majorPageFaults: resources?.majorPageFault ?? 0,
        blocksRead: resources?.fsRead ?? 0,
        blocksWritten: resources?.fsWrite ?? 0,
        voluntarySwitches: resources?.voluntaryContextSwitches ?? 0,
        involuntarySwitches: resources?.involuntaryContextSwitches ?? 0,
      };
    });
  }

  memory(): SystemMemory | undefined {
    return ifKnown(() => Deno.systemMemoryInfo());
  }

  cpuTimes(): CpuTimes | undefined {
    return ifKnown(() => {
      const sum = { count: 0, userMs: 0, niceMs: 0, systemMs: 0, idleMs: 0, irqMs: 0 };
      for (const { times } of cpus()) {
        sum.count += 1;
        sum.userMs += times.user;
        sum.niceMs += times.nice;
        sum.systemMs += times.sys;
        sum.idleMs += times.idle;
        sum.irqMs += times.irq;
      }
      return sum.count === 0 ? undefined : sum;
    });
  }

  load(): readonly [number, number, number] | undefined {
    return ifKnown(() => {
      const [one = 0, five = 0, fifteen = 0] = Deno.loadavg();
      return [one, five, fifteen] as const;
    });
  }

  uptimeSeconds(): number | undefined {
    return ifKnown(() => Deno.osUptime());
  }
}

function resourceUsage(): ResourceUsage | undefined {
  const read = (process as { resourceUsage?: () => ResourceUsage }).resourceUsage;
  return read?.call(process);
}
