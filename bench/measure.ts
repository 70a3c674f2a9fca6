import { Child } from "./child.ts";
import type { LoadSnapshot, LoadTask } from "./load_task.ts";
import { machineTicks, processUsage } from "./process_usage.ts";

/** Players of an origin, publishers one of whom is played, publishers whom nobody plays, publishers who are all played, readers of HTTP-FLV, players of an edge. */
export type RowKind = "players" | "publishers" | "unwatched" | "streams" | "flv" | "edge";

/** What is measured: this program, or nginx-rtmp as the system's package has it. */
export type Subject = "headwater" | "nginx-rtmp";

/** One row of the table: what is asked for. */
export interface Row {
  readonly kind: RowKind;
  readonly count: number;
  readonly kbps: number;
  /** `mw_latency`. */
  readonly latency: string;
  /** Players of each stream, where all are played. */
  readonly playersEach?: number;
}

/** One row: what came out. */
export interface Result extends Row {
  readonly seconds: number;
  /** Delivered to players, or taken in from publishers, in the window. */
  readonly bytes: number;
  readonly cpuPercent: number;
  readonly cpuSecondsPerGb: number;
  readonly rssMegabytes: number;
  readonly delayP50Ms: number | undefined;
  readonly delayP99Ms: number | undefined;
  readonly firstMediaP50Ms: number | undefined;
  /** Writes a second to one player, as a probe sees them. */
  readonly writesPerSecond: number;
  /** The bare send() loop for the same bytes at the same rhythm. */
  readonly bareCpuSecondsPerGb: number | undefined;
  readonly failed: number;
  /** Why the first connection failed. */
  readonly reason: string | undefined;
  /** Share of all cores that anything kept busy in the window: high or uneven values make a doubtful row. */
  readonly machineBusyPercent: number;
}

/** How long a row runs before its window, in seconds: the just-in-time compiler and the write scheduler settle. */
const WARM_SECONDS = 5;
/** Less CPU time than this in a window is too coarse in ticks of 10 ms to be set against bytes. */
const MIN_CPU_SECONDS = 0.03;

/** Where Debian's package has its modules; nothing is written there. */
const NGINX_PREFIX = "/usr/share/nginx";

const ROOT = new URL("../", import.meta.url).pathname;

/** Starts server and load, measures one row, and ends them. */
export async function measureRow(
  row: Row,
  seconds: number,
  serverFlags: readonly string[],
  subject: Subject = "headwater",
): Promise<Result> {
  // Those that are measured are at `port`; the stream is published at the origin.
  const port = freePort();
  const originPort = row.kind === "edge" ? freePort() : port;
  const flvPort = row.kind === "flv" ? freePort() : undefined;
  const servers: Child[] = [];
  if (originPort !== port) {
    servers.push(startServer({ port: originPort, latency: "auto", flags: serverFlags }));
  }
  const folder = await Deno.makeTempDir();
  const server = subject === "nginx-rtmp" ? startNginx(port, folder) : startServer({
    port,
    flvPort,
    originPort: originPort === port ? undefined : originPort,
    latency: row.latency,
    flags: serverFlags,
  });
  servers.push(server);
  const loads: Child[] = [];
  const start = async (task: LoadTask) => {
    const load = startLoad(task);
    loads.push(load);
    await load.line();
  };
  try {
    for (const each of [originPort, port, flvPort]) if (each !== undefined) await isListening(each);
    if (!hasManyStreams(row)) {
      const probePorts = flvPort === undefined ? [port] : [];
      await start({ kind: "measured", port: originPort, kbps: row.kbps, probePorts });
    }
    const isCrowd = row.count > 1;
    if (hasManyStreams(row)) {
      await start({ kind: "publishers", port, kbps: row.kbps, count: row.count });
      const players = row.count * (row.playersEach ?? 0);
      if (players > 0) await start({ kind: "players", port, count: players, streams: row.count });
    } else if (flvPort !== undefined) {
      await start({ kind: "flv", port: flvPort, count: row.count });
    } else if (row.kind === "publishers") {
      await start({ kind: "publishers", port, kbps: row.kbps, count: row.count - 1 });
    } else if (isCrowd) {
      // One probe is the first player, one the last; the crowd is between them.
      await start({ kind: "players", port, count: row.count - 2 });
      await loads[0]?.ask(`probe ${port}`);
    }
    await sleep(WARM_SECONDS);
    const before = { ticks: machineTicks(), usage: processUsage(server.pid), loads: await snapshots(loads) };
    await sleep(seconds);
    const after = { ticks: machineTicks(), usage: processUsage(server.pid), loads: await snapshots(loads) };
    const isTakenIn = row.kind === "publishers" || row.kind === "unwatched";
    const key = isTakenIn ? "sentBytes" : "receivedBytes";
    const total = (list: readonly LoadSnapshot[]) => list.reduce((sum, snapshot) => sum + snapshot[key], 0);
    const bytes = total(after.loads) - total(before.loads);
    const elapsed = (after.usage.atMs - before.usage.atMs) / 1000;
    const cpuSeconds = after.usage.cpuSeconds - before.usage.cpuSeconds;
    const delays = after.loads.flatMap(({ delaysMs }) => delaysMs.flat());
    const firstMedia = after.loads.flatMap(({ firstMediaMs }) => firstMediaMs);
    return {
      ...row,
      seconds: elapsed,
      bytes,
      cpuPercent: cpuSeconds / elapsed * 100,
      cpuSecondsPerGb: cpuSeconds / bytes * 1e9,
      rssMegabytes: after.usage.rssMegabytes,
      delayP50Ms: percentile(delays, 0.5),
      delayP99Ms: percentile(delays, 0.99),
      firstMediaP50Ms: percentile(firstMedia, 0.5),
      writesPerSecond: after.loads.reduce((sum, { probeReads }) => sum + probeReads, 0) / elapsed,
      bareCpuSecondsPerGb: undefined,
      failed: after.loads.reduce((sum, { failed }) => sum + failed, 0),
      reason: after.loads.find(({ reason }) => reason !== undefined)?.reason,
      machineBusyPercent: busyPercent(before.ticks, after.ticks),
    };
  } finally {
    for (const load of loads) await load.stop();
    for (const each of servers) await each.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

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
      args: ["-O2", "-o", program, `${ROOT}bench/bare_send.c`],
      stderr: "inherit",
    }).outputSync();
    return success ? program : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether it is about many streams, and not about the players of one. */
function hasManyStreams({ kind }: Row): boolean {
  return kind === "unwatched" || kind === "streams";
}

/** nginx-rtmp in one process, configured as its own examples are, from a file in `folder`. */
function startNginx(port: number, folder: string): Child {
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `load_module modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 20000; }
rtmp { server { listen 127.0.0.1:${port}; chunk_size 4096; application live { live on; } } }
`,
  );
  return new Child("nginx", ["-p", NGINX_PREFIX, "-c", `${folder}/nginx.conf`, "-e", "stderr"]);
}

/** Whether nginx with its RTMP module is installed. */
export function hasNginx(): boolean {
  try {
    return Deno.statSync(`${NGINX_PREFIX}/modules/ngx_rtmp_module.so`).isFile;
  } catch {
    return false;
  }
}

/** How to start a server. */
export interface ServerSettings {
  /** Of RTMP. */
  readonly port: number;
  /** Of HTTP-FLV, where it is on. */
  readonly flvPort?: number | undefined;
  /** Of the HTTP API, where it is on. */
  readonly apiPort?: number | undefined;
  /** Of the origin, where it is an edge. */
  readonly originPort?: number | undefined;
  /** `mw_latency`. */
  readonly latency: string;
  readonly flags: readonly string[];
}

/** Starts a server; it may not listen yet. */
export function startServer({ port, flvPort, apiPort, originPort, latency, flags }: ServerSettings): Child {
  // What `deno task start` runs, but without a process between it and us.
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as { tasks: { start: string } };
  const words = tasks.start.split(" ").filter((word) =>
    word !== "deno" && word !== "run" && word !== "main.ts"
  );
  return new Child(Deno.execPath(), ["run", ...words, ...flags, `${ROOT}main.ts`], {
    HEADWATER_LISTEN: `127.0.0.1:${port}`,
    HEADWATER_LOG_LEVEL: "warn",
    HEADWATER_MAX_CONNECTIONS: "10000",
    HEADWATER_HTTP_API_ENABLED: String(apiPort !== undefined),
    HEADWATER_HTTP_SERVER_ENABLED: String(flvPort !== undefined),
    HEADWATER_VHOST_PLAY_MW_LATENCY: latency,
    ...(flvPort === undefined ? {} : { HEADWATER_HTTP_SERVER_LISTEN: `127.0.0.1:${flvPort}` }),
    ...(apiPort === undefined ? {} : { HEADWATER_HTTP_API_LISTEN: `127.0.0.1:${apiPort}` }),
    ...(originPort === undefined ? {} : {
      HEADWATER_VHOST_CLUSTER_MODE: "remote",
      HEADWATER_VHOST_CLUSTER_ORIGIN: `127.0.0.1:${originPort}`,
    }),
  });
}

/** Starts a process that makes load; its first line says that it does. */
export function startLoad(task: LoadTask): Child {
  return new Child(Deno.execPath(), ["run", "--allow-net", `${ROOT}bench/load.ts`, JSON.stringify(task)]);
}

/** What each has seen, at about the same time. */
export async function snapshots(loads: readonly Child[]): Promise<LoadSnapshot[]> {
  return await Promise.all(loads.map(async (load) => JSON.parse(await load.ask("snapshot")) as LoadSnapshot));
}

/** Resolves when something accepts connections on `port`. */
export async function isListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await sleep(0.05);
    }
  }
  throw new Error(`Cannot measure: the server does not listen on port ${port} after 10 s`);
}

/** A port on which nothing listens now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** The value below which `share` of `values` are, 0 to 1. */
export function percentile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.min(Math.floor(values.length * share), values.length - 1)];
}

/** Between two readings of {@link machineTicks}. */
export function busyPercent(before: readonly [number, number], after: readonly [number, number]): number {
  return (after[0] - before[0]) / (after[1] - before[1]) * 100;
}

/** Resolves after so many seconds. */
export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
