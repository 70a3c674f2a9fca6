import { deepEqual, equal, ok } from "node:assert/strict";
import { readVideoTag } from "../../lib/wire/media_tag.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import { packetHashes } from "./frames.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";
import type { TestScope } from "./test_scope.ts";

/** Set to run what takes minutes. */
const SLOW_VARIABLE = "HEADWATER_SLOW_TESTS";
const PLAYERS = 199;
const STOPPED_MS = 60_000;
const AFTER_MS = 15_000;
const MEMORY_LIMIT_BYTES = 150_000_000;
/** Longest pause between two messages that a player may see, in milliseconds. */
const MAX_PAUSE_MS = 1000;

/** What a player saw of the stream. */
interface Watch {
  readonly client: RtmpClient;
  frames: number;
  lastTimestamp: number;
  readonly gaps: number[];
  lastMs: number;
  longestPauseMs: number;
}

if (Deno.env.get(SLOW_VARIABLE) !== undefined) {
  programTest(["ffmpeg"], "a process stopped for 60 s among 200 costs the others nothing", async (scope) => {
    const source = scope.path("source.flv");
    const video = [
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-g",
      "50",
      "-b:v",
      "4M",
      "-minrate",
      "4M",
      "-nal-hrd",
      "cbr",
    ];
    const input = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "150"];
    const rate = ["-maxrate", "4M", "-bufsize", "1M", "-pix_fmt", "yuv420p"];
    await scope.start("ffmpeg", "-v", "error", ...input, ...video, ...rate, source).succeed();
    // A peer that takes nothing is otherwise taken for dead after half a minute.
    const server = await scope.startServer({ config: "limits.send_timeout_ms = 120_000" });
    await publishFile(scope, server, source);
    const recorded = scope.path("recorded.flv");
    const stopped = scope.start("ffmpeg", "-v", "error", "-i", server.url("live/a"), "-c", "copy", recorded);
    const players: Watch[] = [];
    for (let i = 0; i < PLAYERS; i++) players.push(await watch(scope, server.port("rtmp")));
    await pass(10_000);

    const before = await server.residentBytes();
    stopped.signal("SIGSTOP");
    let most = 0;
    for (let passed = 0; passed < STOPPED_MS; passed += 5000) {
      await pass(5000);
      most = Math.max(most, await server.residentBytes());
    }
    stopped.signal("SIGCONT");
    await pass(AFTER_MS);
    stopped.signal("SIGINT");
    await stopped.finish();

    const hashes = (await packetHashes(scope, recorded)).get("video") ?? [];
    const all = (await packetHashes(scope, source)).get("video") ?? [];
    const places = hashes.map((hash) => all.indexOf(hash));
    const resumed = places.filter((place, index) => index > 0 && place !== (places[index - 1] ?? 0) + 1);
    const longest = Math.max(...players.map(({ longestPauseMs }) => longestPauseMs));
    report(
      `memory before ${megabytes(before)}, most ${
        megabytes(most)
      }; longest pause of the others ${longest} ms`,
    );
    report(
      `stopped player: ${hashes.length} frames, last ${
        places.at(-1)
      } of ${all.length}, went on at ${resumed}`,
    );
    for (const { client, gaps, frames } of players) {
      deepEqual(gaps, []);
      equal(client.isEnded, false);
      ok(frames > 25 * (STOPPED_MS + AFTER_MS) / 1000 - 50, `only ${frames} frames`);
    }
    ok(longest < MAX_PAUSE_MS);
    ok(most - before < MEMORY_LIMIT_BYTES);
    ok(!places.includes(-1));
    ok(resumed.length > 0, "the stopped player missed nothing: it was not slow");
    deepEqual(resumed.filter((place) => place % 50 !== 0), []);
    ok((places.at(-1) ?? 0) > 25 * (10_000 + STOPPED_MS) / 1000);
  });
}

async function watch(scope: TestScope, port: number): Promise<Watch> {
  const seen = { frames: 0, lastTimestamp: -1, gaps: [] as number[], lastMs: 0, longestPauseMs: 0 };
  const client = await connectLocally(port, "live", ({ typeId, timestamp, payload }) => {
    if (typeId !== MESSAGE_TYPE.video || !readVideoTag(payload).isFrame) return;
    if (seen.frames > 0 && Math.abs(timestamp - seen.lastTimestamp - 40) > 2) seen.gaps.push(timestamp);
    const nowMs = performance.now();
    if (seen.frames > 0) seen.longestPauseMs = Math.max(seen.longestPauseMs, Math.round(nowMs - seen.lastMs));
    seen.lastMs = nowMs;
    seen.lastTimestamp = timestamp;
    seen.frames++;
  });
  scope.onClose(() => client.close());
  await client.play("a");
  return Object.assign(seen, { client });
}

/** This test is about time that passes. */
async function pass(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function report(line: string): void {
  // deno-lint-ignore no-console -- figures for the one who runs it
  console.log(line);
}
