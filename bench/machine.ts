/** What the figures of a run depend on, in one sentence without a date: the machine, and which programs ran on it. */
export async function machineDescription(hasNginx: boolean): Promise<string> {
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
  return `${navigator.hardwareConcurrency} cores of ${model}, ${gigabytes} GB of memory, Linux ${Deno.osRelease()}; ${
    programs.join(", ")
  }.`;
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
