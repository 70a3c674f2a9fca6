import { ClusterNodes } from "./cluster_nodes.ts";
import { processUsage } from "./process_usage.ts";

/** One way to run the loop. */
export interface LoopRow {
  readonly nodes: number;
  readonly dead: number;
  /** That the measured node owns; in a mesh any of them. */
  readonly streams: number;
  /** That each of its coworkers owns. */
  readonly coworkerStreams: number;
  /** Streams of each node that come or go in a second. */
  readonly changesPerSecond: number;
  readonly isSigned: boolean;
}

/** What the loop costs one node. */
export interface LoopResult extends LoopRow {
  /** Until every node knew of every coworker and stream, in milliseconds. */
  readonly meetMs: number;
  /** Of one core, in percent; the median of the windows. */
  readonly cpuPercent: number;
  readonly requestsPerSecond: number;
  readonly requestBytesPerSecond: number;
  readonly responseBytesPerSecond: number;
  /** Resident memory, in megabytes (2^20). */
  readonly rssMegabytes: number;
}

/** After the nodes have met, until they are as they stay. */
const WARM_MS = 5000;

/** Runs a cluster that nobody publishes to or plays from, and looks at the nodes' processes. */
export async function measureLoop(row: LoopRow, seconds: number, windows: number): Promise<LoopResult> {
  const cluster = await ClusterNodes.start(row);
  try {
    await cluster.own(row.streams, row.coworkerStreams, 0);
    const begunMs = performance.now();
    await cluster.meet();
    const meetMs = performance.now() - begunMs;
    if (row.changesPerSecond > 0) {
      await cluster.own(row.streams, row.coworkerStreams, row.changesPerSecond);
    }
    await sleep(WARM_MS);
    const cpuPercents: number[] = [];
    const before = { traffic: cluster.asked, atMs: performance.now() };
    for (let i = 0; i < windows; i++) cpuPercents.push(await cpuPercent(cluster, seconds));
    const { asked: traffic } = cluster;
    const elapsed = (performance.now() - before.atMs) / 1000;
    const pids = cluster.measuredPids;
    return {
      ...row,
      meetMs,
      cpuPercent: cpuPercents.sort((a, b) => a - b)[Math.floor(windows / 2)] ?? NaN,
      requestsPerSecond: (traffic.requests - before.traffic.requests) / elapsed,
      requestBytesPerSecond: (traffic.requestBytes - before.traffic.requestBytes) / elapsed,
      responseBytesPerSecond: (traffic.responseBytes - before.traffic.responseBytes) / elapsed,
      rssMegabytes: pids.reduce((sum, pid) => sum + processUsage(pid).rssMegabytes, 0) / pids.length,
    };
  } finally {
    await cluster.stop();
  }
}

/** What a node uses of a core, the mean of those that know all others. */
async function cpuPercent(cluster: ClusterNodes, seconds: number): Promise<number> {
  const pids = cluster.measuredPids;
  const before = pids.map(processUsage);
  await sleep(seconds * 1000);
  const shares = pids.map((pid, index) => {
    const after = processUsage(pid);
    const start = before[index] ?? after;
    return (after.cpuSeconds - start.cpuSeconds) / (after.atMs - start.atMs) * 1000 * 100;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
