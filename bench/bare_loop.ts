import { Child } from "./child.ts";
import { snapshots, startLoad } from "./load_process.ts";
import { sleep } from "./numbers.ts";
import { processUsage } from "./process_usage.ts";
import type { Result } from "./row.ts";
import { freePort } from "./servers.ts";

/** Less CPU time than this in a window is too coarse in ticks of 10 ms to be set against bytes. */
const MIN_CPU_SECONDS = 0.03;

/** CPU seconds per GB of the bare loop, sending what a row sent as often as it did; undefined where they are too few to tell. */
export async function measureBare(
  program: string,
  result: Result,
  seconds: number,
): Promise<number | undefined> {
  const port = freePort();
  // A fixed gathering time is the interval; else it is what a probe saw.
  const intervalMs = Number(result.latency) > 0 ? Number(result.latency) : 1000 / result.writesPerSecond;
  const bytesPerSend = result.bytes / result.count / result.seconds * intervalMs / 1000;
  const args = [port, result.count, bytesPerSend.toFixed(2), Math.round(intervalMs * 1000)].map(String);
  const bare = new Child(program, args);
  let sinks: Child | undefined;
  try {
    await bare.line();
    sinks = startLoad({ kind: "sinks", port, count: result.count });
    await sinks.line();
    await sleep(1);
    const before = { usage: processUsage(bare.pid), loads: await snapshots([sinks]) };
    await sleep(seconds);
    const after = { usage: processUsage(bare.pid), loads: await snapshots([sinks]) };
    const bytes = (after.loads[0]?.receivedBytes ?? 0) - (before.loads[0]?.receivedBytes ?? 0);
    const cpuSeconds = after.usage.cpuSeconds - before.usage.cpuSeconds;
    return cpuSeconds < MIN_CPU_SECONDS ? undefined : cpuSeconds / bytes * 1e9;
  } finally {
    await sinks?.stop();
    await bare.stop();
  }
}

/** Compiles the bare loop into `directory`; undefined without a C compiler. */
export function compileBare(directory: string): string | undefined {
  const program = `${directory}/bare_send`;
  try {
    const { success } = new Deno.Command("cc", {
      args: ["-O2", "-o", program, new URL("./bare_send.c", import.meta.url).pathname],
      stderr: "inherit",
    }).outputSync();
    return success ? program : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
