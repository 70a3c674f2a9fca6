import type {
  CpuTimes,
  HostFacts,
  ProcessUsage,
  SystemMemory,
  SystemProbe,
} from "../../lib/http/system_probe.ts";

const MIB = 1024 * 1024;

/** A machine with two processors and 1 GiB; a test changes what it needs. */
export class FakeSystemProbe implements SystemProbe {
  readonly parentPid = 1;
  readonly commandLine = "headwater serve -c conf/headwater.toml";
  readonly workingDirectory = "/srv/headwater";
  usageAnswer: ProcessUsage | undefined = {
    userMs: 4000,
    systemMs: 1000,
    residentBytes: 64 * MIB,
    residentMaxBytes: 80 * MIB,
    minorPageFaults: 900,
    majorPageFaults: 3,
    blocksRead: 8,
    blocksWritten: 16,
    voluntarySwitches: 70,
    involuntarySwitches: 7,
  };
  memoryAnswer: SystemMemory | undefined = {
    total: 1024 * MIB,
    free: 256 * MIB,
    available: 512 * MIB,
    buffers: 16 * MIB,
    cached: 128 * MIB,
    swapTotal: 64 * MIB,
    swapFree: 48 * MIB,
  };
  cpuTimesAnswer: CpuTimes | undefined = {
    count: 2,
    userMs: 20_000,
    niceMs: 0,
    systemMs: 5000,
    idleMs: 75_000,
    irqMs: 0,
  };

  host(): HostFacts | undefined {
    return { sysname: "Linux", nodename: "origin-a", release: "6.1.0", version: "#1 SMP", machine: "x86_64" };
  }

  processUsage(): ProcessUsage | undefined {
    return this.usageAnswer;
  }

  memory(): SystemMemory | undefined {
    return this.memoryAnswer;
  }

  cpuTimes(): CpuTimes | undefined {
    return this.cpuTimesAnswer;
  }

  load(): readonly [number, number, number] {
    return [0.5, 0.25, 0.125];
  }

  uptimeSeconds(): number {
    return 3600;
  }
}

/** A machine that tells nothing. */
export class SilentSystemProbe implements SystemProbe {
  readonly parentPid = 0;
  readonly commandLine = "";
  readonly workingDirectory = "";
  host(): undefined {}
  processUsage(): undefined {}
  memory(): undefined {}
  cpuTimes(): undefined {}
  load(): undefined {}
  uptimeSeconds(): undefined {}
}
