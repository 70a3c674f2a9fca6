import type { LoadSnapshot } from "./load_task.ts";
import { busyPercent, percentile, sleep } from "./numbers.ts";
import type { ProcessUsage } from "./process_usage.ts";
import type { Result, Row, Subject } from "./row.ts";
import { type Look, Stage } from "./stage.ts";

/** How long a row runs before its window, in seconds: the just-in-time compiler and the write scheduler settle. */
const WARM_SECONDS = 5;
/** How many players come to streams that nobody played. */
const VISITORS = 50;

/** Starts server and load, measures one row, and ends them. */
export async function measureRow(
  row: Row,
  seconds: number,
  serverFlags: readonly string[],
  subject: Subject = "headwater",
): Promise<Result> {
  const stage = new Stage(row);
  try {
    await stage.startServers(subject, serverFlags);
    await stage.startStream();
    if (row.kind === "joins") {
      await sleep(WARM_SECONDS);
      const before = await stage.look();
      await stage.startCrowd();
      return result(row, before, await stage.look(), []);
    }
    await stage.startCrowd();
    await sleep(WARM_SECONDS);
    const before = await stage.look();
    await sleep(seconds);
    const after = await stage.look();
    return result(row, before, after, row.kind === "publishers" ? [await stage.visit(VISITORS)] : []);
  } finally {
    await stage.stop();
  }
}

function result(row: Row, before: Look, after: Look, visitors: readonly LoadSnapshot[]): Result {
  const isOfPublishers = row.kind === "publishers" || row.kind === "unwatched" || row.kind === "recorded";
  const key = isOfPublishers ? "sentBytes" : "receivedBytes";
  const bytes = sum(after.snapshots, (load) => load[key]) - sum(before.snapshots, (load) => load[key]);
  const seconds = ((after.servers[0]?.atMs ?? 0) - (before.servers[0]?.atMs ?? 0)) / 1000;
  const cpuSeconds = cpuOf(after.servers) - cpuOf(before.servers);
  const delays = after.snapshots.flatMap(({ delaysMs }) => delaysMs.flat());
  const all = [...after.snapshots, ...visitors];
  // Who was first to play each stream says nothing about those that come to streams that nobody played.
  const firstMedia = (visitors.length > 0 ? visitors : all).flatMap(({ firstMediaMs }) => firstMediaMs);
  const loadSeconds = after.loads.map((load, index) =>
    load.cpuSeconds - (before.loads[index]?.cpuSeconds ?? 0)
  );
  return {
    ...row,
    seconds,
    bytes,
    cpuPercent: cpuSeconds / seconds * 100,
    cpuSecondsPerGb: cpuSeconds / bytes * 1e9,
    cpuMsPerJoin: row.kind === "joins" ? cpuSeconds / row.count * 1000 : undefined,
    rssMegabytes: sum(after.servers, ({ rssMegabytes }) => rssMegabytes),
    delayP50Ms: percentile(delays, 0.5),
    delayP99Ms: percentile(delays, 0.99),
    firstMediaP50Ms: percentile(firstMedia, 0.5),
    firstMediaP99Ms: percentile(firstMedia, 0.99),
    writesPerSecond: sum(after.snapshots, ({ probeReads }) => probeReads) / seconds,
    bareCpuSecondsPerGb: undefined,
    failed: sum(all, ({ failed }) => failed),
    reason: all.find(({ reason }) => reason !== undefined)?.reason,
    loadCpuPercent: Math.max(0, ...loadSeconds) / seconds * 100,
    machineBusyPercent: busyPercent(before.machine, after.machine),
  };
}

function cpuOf(processes: readonly ProcessUsage[]): number {
  return sum(processes, ({ cpuSeconds }) => cpuSeconds);
}

function sum<T>(list: readonly T[], value: (item: T) => number): number {
  return list.reduce((total, item) => total + value(item), 0);
}
