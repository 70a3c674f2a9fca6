/**
 * How long the binary takes from its start until it listens, and what it weighs; and beside it the same runtime with
 * a program that does nothing but listen, which nothing made with it can be faster than.
 *
 * `deno task compile`, then `deno task bench:startup [RUNS] [PROGRAM]`. The two are started in turn. Every start has
 * an empty folder and an environment that only names free ports.
 *
 * @module
 */
import { join } from "node:path";
import { compile } from "../deploy/compile.ts";
import { percentile } from "./numbers.ts";
import { freePort } from "./servers.ts";

const [runsText = "20", program = new URL("../dist/headwater", import.meta.url).pathname] = Deno.args;
const RUNS = Number(runsText);

const BARE_PROGRAM = `
const [hostname, port] = Deno.env.get("HEADWATER_LISTEN").split(":");
const listener = Deno.listen({ hostname, port: Number(port) });
for await (const connection of listener) connection.close();
`;

interface Start {
  /** From the start of the process until a connection to the RTMP port is accepted. */
  readonly acceptMs: number;
  /** Until the first byte of an RTMP handshake is answered; NaN for a program that speaks none. */
  readonly handshakeMs: number;
  /** Processor time of all its threads until then; NaN where the system does not tell. */
  readonly processorMs: number;
}

async function start(program: string, folder: string): Promise<Start> {
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
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    const connection = await connect(port, startedAt + 10_000);
    const acceptMs = performance.now() - startedAt;
    const answer = beginHandshake(connection);
    const usedMs = processorMs(child.pid);
    const handshakeMs = await answer ? performance.now() - startedAt : NaN;
    return { acceptMs, handshakeMs, processorMs: usedMs };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function connect(port: number, deadlineMs: number): Promise<Deno.Conn> {
  for (;;) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Sends C0 and C1; resolves to whether anything comes back. */
async function beginHandshake(connection: Deno.Conn): Promise<boolean> {
  try {
    await connection.write(new Uint8Array(1537).fill(3, 0, 1));
    return await connection.read(new Uint8Array(1)) !== null;
  } catch {
    return false;
  } finally {
    connection.close();
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

function say(text: string): void {
  // deno-lint-ignore no-console -- this is a command line program
  console.log(text);
}

function describe(name: string, values: readonly number[]): string {
  const at = (share: number): string => (percentile(values, share) ?? NaN).toFixed(0);
  return `  ${name}: median ${at(0.5)} ms, least ${at(0)}, nine of ten ${at(0.9)}, most ${at(1)}`;
}

async function report(name: string, path: string, starts: readonly Start[]): Promise<void> {
  say(`${name}: ${((await Deno.stat(path)).size / 1e6).toFixed(1)} MB, ${starts.length} starts`);
  say(describe("accepts a connection", starts.map(({ acceptMs }) => acceptMs)));
  say(describe("processor time until then", starts.map(({ processorMs }) => processorMs)));
  const handshakes = starts.map(({ handshakeMs }) => handshakeMs).filter((value) => !Number.isNaN(value));
  if (handshakes.length > 0) say(describe("answers a handshake", handshakes));
}

const folder = await Deno.makeTempDir({ prefix: "headwater-startup-" });
try {
  const [source, bare, empty] = [join(folder, "bare.js"), join(folder, "bare"), join(folder, "empty")];
  await Deno.mkdir(empty);
  await Deno.writeTextFile(source, BARE_PROGRAM);
  await compile({ path: source }, undefined, bare);
  const starts: Start[] = [];
  const bareStarts: Start[] = [];
  for (let run = 0; run < RUNS; run++) {
    bareStarts.push(await start(bare, empty));
    starts.push(await start(program, empty));
  }
  await report(program, program, starts);
  await report("the bare runtime", bare, bareStarts);
} finally {
  await Deno.remove(folder, { recursive: true });
}
