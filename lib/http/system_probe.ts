/** What `uname` says. */
export interface HostFacts {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

/** What this process has used since its start. */
export interface ProcessUsage {
  readonly userMs: number;
  readonly systemMs: number;
  readonly residentBytes: number;
  /** The largest that `residentBytes` has been. */
  readonly residentMaxBytes: number;
  readonly minorPageFaults: number;
  readonly majorPageFaults: number;
  /** In blocks of 512 bytes. */
  readonly blocksRead: number;
  readonly blocksWritten: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** The machine's memory, in bytes. */
export interface SystemMemory {
  readonly total: number;
  readonly free: number;
  /** What programs could still get: free, and caches that would be dropped for it. */
  readonly available: number;
  readonly buffers: number;
  readonly cached: number;
  readonly swapTotal: number;
  readonly swapFree: number;
}

/** What the machine's processors have done since it started, all of them together. */
export interface CpuTimes {
  readonly count: number;
  readonly userMs: number;
  readonly niceMs: number;
  readonly systemMs: number;
  readonly idleMs: number;
  readonly irqMs: number;
}

/**
 * The machine and the process as the operating system tells of them. A reading is undefined where the platform, or the permissions
 * of this process, don't allow it; the API then says `"ok":false` and zeros.
 */
export interface SystemProbe {
  host(): HostFacts | undefined;
  readonly parentPid: number;
  /** The command line. */
  readonly commandLine: string;
  readonly workingDirectory: string;
  processUsage(): ProcessUsage | undefined;
  memory(): SystemMemory | undefined;
  cpuTimes(): CpuTimes | undefined;
  /** Averages over 1, 5 and 15 minutes. */
  load(): readonly [number, number, number] | undefined;
  /** Seconds since the machine started. */
  uptimeSeconds(): number | undefined;
}
