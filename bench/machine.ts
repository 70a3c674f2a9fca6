/** With more than this for each core before the run, other work made the figures. */
const QUIET_LOAD = 0.25;

/** What the figures of a run depend on, without a date: the machine, which programs ran on it, and whether it was quiet. */
export async function machineDescription(hasNginx: boolean, loadAverage: number): Promise<string> {
  const cpuInfo = await output("cat", ["/proc/cpuinfo"]);
  const model = /^model name\s*:\s*(.*)$/m.exec(cpuInfo)?.[1] ?? Deno.build.arch;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 1e9);
  const programs = [
    `Headwater at commit ${(await output("git", ["describe", "--always", "--dirty"])) || "unknown"}`,
    `Deno ${Deno.version.deno}`,
  ];
  if (hasNginx) {
    const server = /nginx\/(\S+)/.exec(await output("nginx", ["-v"]))?.[1] ?? "";
    const module = await output("dpkg-query", ["-W", "-f", "${Version}", "libnginx-mod-rtmp"]);
    programs.push(`nginx ${server} with nginx-rtmp ${module}`);
  }
  const isQuiet = loadAverage <= QUIET_LOAD * navigator.hardwareConcurrency;
  const quiet = isQuiet
    ? ""
    : ` Other work ran at the same time (load average before the run: ${
      loadAverage.toFixed(1)
    }): ratios are rough, and times longer than on a quiet machine.`;
  return `${navigator.hardwareConcurrency} cores of ${model}, ${gigabytes} GB of memory, Linux ${Deno.osRelease()}; ${
    programs.join(", ")
  }.${quiet}`;
}

/** What a program says, on either output; nothing where it is not there. */
async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      cwd: new URL("../", import.meta.url).pathname,
    }).output();
    return new TextDecoder().decode(stdout.length > 0 ? stdout : stderr).trim();
  } catch {
    return "";
  }
}
