import type { Child } from "./child.ts";
import { snapshots, startLoad } from "./load_process.ts";
import { busyPercent, percentile, sleep } from "./numbers.ts";
import { freePort, isListening, startServer } from "./servers.ts";
import { machineTicks } from "./process_usage.ts";

/** How long messages wait on their way to one player of the origin and to one of an edge of it. */
export interface IdleEdgeResult {
  readonly kbps: number;
  /** `mw_latency` of both. */
  readonly latency: string;
  readonly messages: number;
  readonly originP50Ms: number | undefined;
  readonly edgeP50Ms: number | undefined;
  readonly originP99Ms: number | undefined;
  readonly edgeP99Ms: number | undefined;
  /** Share of all cores that anything kept busy in the window. */
  readonly machineBusyPercent: number;
}

const KBPS = 300;
const WARM_SECONDS = 5;

/** Starts an origin, an edge of it, a stream and a player of each, and looks at the players for a window. */
export async function measureIdleEdge(
  latency: string,
  seconds: number,
  flags: readonly string[],
): Promise<IdleEdgeResult> {
  const originPort = freePort();
  const port = freePort();
  const children: Child[] = [
    startServer({ port: originPort, latency, flags }),
    startServer({ port, originPort, latency, flags }),
  ];
  try {
    await isListening(originPort);
    await isListening(port);
    const load = startLoad({
      kind: "measured",
      port: originPort,
      kbps: KBPS,
      probePorts: [originPort, port],
    });
    children.unshift(load);
    await load.line();
    await sleep(WARM_SECONDS);
    const before = machineTicks();
    await snapshots([load]);
    await sleep(seconds);
    const [after] = await snapshots([load]);
    const [atOrigin = [], atEdge = []] = after?.delaysMs ?? [];
    if (after === undefined || after.failed > 0) throw new Error(`Cannot measure: ${after?.reason}`);
    return {
      kbps: KBPS,
      latency,
      messages: atEdge.length,
      originP50Ms: percentile(atOrigin, 0.5),
      edgeP50Ms: percentile(atEdge, 0.5),
      originP99Ms: percentile(atOrigin, 0.99),
      edgeP99Ms: percentile(atEdge, 0.99),
      machineBusyPercent: busyPercent(before, machineTicks()),
    };
  } finally {
    for (const child of children) await child.stop();
  }
}
