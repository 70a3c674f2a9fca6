/**
 * `deno task bench:attacks`: one client that does its worst, in one way after another, beside an encoder and its players; prints the
 * longest time for which one of the players saw nothing, and what the server then used.
 *
 * @module
 */
import { Command } from "commander";
import type { FeedMessage } from "../lib/wire/feed_message.ts";
import { MESSAGE_TYPE } from "../lib/wire/message_type.ts";
import { type AttackedPorts, ATTACKS } from "./attackers.ts";
import { Child, LINE_LIMIT_SECONDS } from "./child.ts";
import { freePort, isListening, startServer } from "./servers.ts";
import { processUsage } from "./process_usage.ts";
import { connectRtmp } from "./dial.ts";
import { PublisherSet } from "./publisher_set.ts";

const ATTACKERS = new URL("./attackers.ts", import.meta.url).pathname;
const KBPS = 300;
/** How often memory is looked at, in milliseconds. */
const LOOK_MS = 250;

/** Players of the encoder's stream, and what they saw since the last look. */
class Players {
  lost = 0;
  #longestPauseMs = 0;

  async start(port: number, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const client = await connectRtmp(port, { onMedia: this.#watch() });
      client.ended.then(() => this.lost++);
      await client.play("bench0");
    }
  }

  /** Longest time between two messages that a player saw, in milliseconds; begins anew. */
  takeLongestPause(): number {
    const longestMs = this.#longestPauseMs;
    this.#longestPauseMs = 0;
    return longestMs;
  }

  #watch(): (message: FeedMessage) => void {
    let lastMs: number | undefined;
    return ({ typeId }) => {
      if (typeId !== MESSAGE_TYPE.audio && typeId !== MESSAGE_TYPE.video) return;
      const nowMs = performance.now();
      if (lastMs !== undefined) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - lastMs);
      lastMs = nowMs;
    };
  }
}

async function main(): Promise<void> {
  const command = new Command("bench:attacks")
    .description("Attacks a server in one way after another, and prints what its players see of it.")
    .option("--only <text>", "only attacks whose name has this in it", "")
    .option("--seconds <number>", "length of each attack", "60")
    .option("--players <number>", "players beside it", "100");
  command.parse(Deno.args, { from: "user" });
  const { only, seconds, players: count } = command.opts<
    { only: string; seconds: string; players: string }
  >();
  const ports: AttackedPorts = { rtmp: freePort(), http: freePort(), api: freePort() };
  const server = startServer({
    port: ports.rtmp,
    flvPort: ports.http,
    apiPort: ports.api,
    latency: "auto",
    flags: [],
  });
  try {
    for (const port of Object.values(ports)) await isListening(port);
    let lostPublishers = 0;
    await new PublisherSet(KBPS, () => lostPublishers++).add(ports.rtmp, "bench0", 0);
    const players = new Players();
    await players.start(ports.rtmp, Number(count));
    print(`load average before: ${Deno.loadavg().map((load) => load.toFixed(1)).join(" ")}`);
    print("| attack | times | longest pause ms | players lost | encoder | CPU % | RSS MB at most |");
    print("|---|---:|---:|---:|---|---:|---:|");
    for (const { name } of [{ name: "none" }, ...ATTACKS]) {
      if (!name.includes(only)) continue;
      players.takeLongestPause();
      const before = processUsage(server.pid);
      let mostMegabytes = 0;
      const timer = setInterval(() => {
        mostMegabytes = Math.max(mostMegabytes, processUsage(server.pid).rssMegabytes);
      }, LOOK_MS);
      const times = name === "none"
        ? await rest(Number(seconds))
        : await attack(name, ports, Number(seconds));
      clearInterval(timer);
      const after = processUsage(server.pid);
      const cpu = (after.cpuSeconds - before.cpuSeconds) / (after.atMs - before.atMs) * 100_000;
      const encoder = lostPublishers === 0 ? "goes on" : "lost";
      print(
        `| ${name} | ${times} | ${players.takeLongestPause().toFixed(0)} | ${players.lost} | ${encoder} | ${
          cpu.toFixed(0)
        } | ${mostMegabytes.toFixed(0)} |`,
      );
    }
  } finally {
    await server.stop();
  }
  Deno.exit(0);
}

/** The attacker is a process of its own, so that it takes no time from the players. */
async function attack(name: string, ports: AttackedPorts, seconds: number): Promise<string> {
  const task = JSON.stringify({ name, ports, seconds });
  const attacker = new Child(Deno.execPath(), ["run", "--allow-net", ATTACKERS, task]);
  try {
    return await attacker.line(seconds + LINE_LIMIT_SECONDS);
  } finally {
    await attacker.stop();
  }
}

async function rest(seconds: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return "";
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) await main();
