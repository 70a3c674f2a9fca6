/**
 * How long the binary takes from its start until it listens, and what it weighs.
 *
 * `deno task compile`, then `deno task bench:startup [RUNS] [PROGRAM]`. Every run has an empty folder and an
 * environment that only names free ports; the time ends when a connection to the RTMP port is accepted.
 *
 * @module
 */
const [runsText = "20", program = new URL("../dist/headwater", import.meta.url).pathname] = Deno.args;
const RUNS = Number(runsText);

interface Start {
  /** From the start of the process until a connection is accepted. */
  readonly acceptMs: number;
  /** Until the first log line is read. */
  readonly lineMs: number;
  /** Processor time of all its threads until then; NaN where the system does not tell. */
  readonly processorMs: number;
}

async function start(folder: string): Promise<Start> {
  const port = freePort();
  const startedAt = performance.now();
  const child = new Deno.Command(program, {
    cwd: folder,
    clearEnv: true,
    env: {
      HEADWATER_LISTEN: `127.0.0.1:${port}`,
      HEADWATER_HTTP_API_LISTEN: "127.0.0.1:0",
      HEADWATER_HTTP_SERVER_LISTEN: "127.0.0.1:0",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const line = reader.read().then(() => performance.now() - startedAt);
  try {
    for (;;) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        break;
      } catch {
        if (performance.now() - startedAt > 10_000) throw new Error("Cannot wait longer for the port");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    const acceptMs = performance.now() - startedAt;
    return { acceptMs, lineMs: await line, processorMs: processorMs(child.pid) };
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
}

/** Linux tells it by thread, in nanoseconds; read through a shell, since Deno reads there itself only with every permission. */
function processorMs(pid: number): number {
  if (Deno.build.os !== "linux") return NaN;
  const { stdout } = new Deno.Command("sh", { args: ["-c", `cat /proc/${pid}/task/*/schedstat`] })
    .outputSync();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1e6;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

function say(text: string): void {
  // deno-lint-ignore no-console -- this is a command line program
  console.log(text);
}

function describe(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.round(share * (sorted.length - 1))] ?? NaN).toFixed(0);
  return `${name}: median ${at(0.5)} ms, least ${at(0)}, nine of ten ${at(0.9)}, most ${
    at(1)
  } (${values.length} starts)`;
}

const folder = await Deno.makeTempDir({ prefix: "headwater-startup-" });
try {
  const starts: Start[] = [];
  for (let run = 0; run < RUNS; run++) starts.push(await start(folder));
  say(`${program}: ${((await Deno.stat(program)).size / 1e6).toFixed(1)} MB`);
  say(describe("accepts a connection", starts.map(({ acceptMs }) => acceptMs)));
  say(describe("first line of the log", starts.map(({ lineMs }) => lineMs)));
  say(describe("processor time until then", starts.map(({ processorMs }) => processorMs)));
} finally {
  await Deno.remove(folder, { recursive: true });
}
