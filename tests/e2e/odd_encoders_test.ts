import { deepEqual, ok } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { assertSameFrames } from "./frames.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { readTags, TagPublisher } from "./tag_publisher.ts";
import type { TestScope } from "./test_scope.ts";

const WATCH_S = 10;
/** What players begin with, in milliseconds of media. */
const BEGINNING_MS = 1000;
/** No more is sent at once, in milliseconds of media: who is further behind than the queue is long goes on at a later key frame. */
const END_MS = 20_000;
/** Longest step between two packets of one kind that is no jump, in milliseconds: a few frames. */
const MAX_STEP_MS = 250;

programTest(
  ["ffmpeg", "ffprobe"],
  "ffmpeg plays a file with a long index of key frames that is pushed tag by tag, behind an edge too",
  async (scope) => {
    const origin = await LocalNode.start(scope);
    const edge = await startLocalEdge(scope, [origin]);
    const urls = [
      `rtmp://${origin.origin}/live/a`,
      `http://127.0.0.1:${origin.httpPort}/live/a.flv`,
      `rtmp://${edge.origin}/live/a`,
    ];
    await plays(scope, [origin, edge], "index.flv", 0, urls);
  },
);

for (
  const [what, shiftMs] of [
    ["2^31 ms", 0x7fffffff - 6000],
    ["2^32 ms", 0xffffffff - 6000],
  ] as const
) {
  programTest(
    ["ffmpeg", "ffprobe"],
    `ffmpeg sees no jump where an encoder's clock passes ${what}, behind an edge either`,
    async (scope) => {
      const origin = await LocalNode.start(scope);
      const edge = await startLocalEdge(scope, [origin]);
      const urls = [
        `rtmp://${origin.origin}/live/a`,
        `http://127.0.0.1:${origin.httpPort}/live/a.flv`,
        `rtmp://${edge.origin}/live/a`,
      ];
      const recorded = await plays(scope, [origin, edge], "av.flv", shiftMs, urls);
      for (const path of recorded) deepEqual(await jumps(scope, path), []);
    },
  );
}

programTest(
  ["ffmpeg", "mpv"],
  "mpv sees no jump where an encoder's clock passes 2^32 ms",
  async (scope) => {
    const node = await LocalNode.start(scope);
    const publisher = await publish(scope, node, "av.flv", 0xffffffff - 6000);
    await publisher.sendUntil(BEGINNING_MS);
    const options = ["--no-config", "--vo=null", "--ao=null", "--untimed", "--ao-null-untimed=yes"];
    const player = scope.start(
      "mpv",
      ...options,
      `--length=${WATCH_S}`,
      "--term-status-msg=T:${=time-pos}",
      `rtmp://${node.origin}/live/a`,
    );
    await playersAre(node, 1);
    await publisher.sendUntil(END_MS);
    const { code, stdout, stderr } = await player.finish();
    const times = [...(stdout + stderr).matchAll(/T:([\d.-]+)/g)].map(([, time]) => Number(time) * 1000);
    deepEqual([code, stepsOf(times)], [0, []]);
    ok((times.at(-1) ?? 0) > (WATCH_S - 1) * 1000, `mpv played up to ${times.at(-1)} ms`);
  },
);

programTest(
  ["ffmpeg", "ffprobe"],
  "ffmpeg plays what is published to a host with a key alone",
  async (scope) => {
    const node = await LocalNode.start(scope);
    const urls = [`rtmp://${node.origin}/key`, `http://127.0.0.1:${node.httpPort}/key.flv`];
    await plays(scope, [node], "av.flv", 0, urls, { app: "", stream: "key" });
  },
);

async function publish(
  scope: TestScope,
  node: LocalNode,
  name: MediaFileName,
  shiftMs: number,
  { app, stream } = { app: "live", stream: "a" },
): Promise<TagPublisher> {
  const tags = await readTags(await mediaFile(name));
  return await TagPublisher.start(scope, node.rtmp.port, app, stream, tags, shiftMs);
}

/** Fails unless ffmpeg records the frames of the file from each URL, unbroken. Returns the recordings' paths. */
async function plays(
  scope: TestScope,
  [origin, edge]: readonly [LocalNode, LocalNode?],
  name: MediaFileName,
  shiftMs: number,
  urls: readonly string[],
  address?: { readonly app: string; readonly stream: string },
): Promise<string[]> {
  const publisher = await publish(scope, origin, name, shiftMs, address);
  await publisher.sendUntil(BEGINNING_MS);
  const recordings = Promise.all(urls.map(async (url, index) => {
    const path = scope.path(`recorded-${index}.flv`);
    const args = ["-v", "error", "-i", url, "-t", String(WATCH_S), "-c", "copy", path];
    await scope.start("ffmpeg", ...args).succeed();
    return path;
  }));
  // One that fails at once says more than that there are too few players.
  const areThere = [playersAre(origin, urls.length), ...(edge === undefined ? [] : [playersAre(edge, 1)])];
  await Promise.race([Promise.all(areThere), recordings]);
  await publisher.sendUntil(END_MS);
  const paths = await recordings;
  const source = await mediaFile(name);
  for (const path of paths) await assertSameFrames(scope, path, source, name === "index.flv" ? 45 : 200);
  return paths;
}

/** Waits until so many play; an edge that pulls is one of them. */
async function playersAre(node: LocalNode, count: number): Promise<void> {
  const players = () => [...node.node.runtime.hub.values()].map(({ playerCount }) => playerCount);
  await until(() => players()[0] === count, `${count} players`, 20_000);
}

/** Where the times of a recording's packets step back or far ahead. */
async function jumps(scope: TestScope, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const kind of ["v", "a"]) {
    const args = [
      "-v",
      "error",
      "-select_streams",
      kind,
      "-show_entries",
      "packet=dts_time",
      "-of",
      "csv=p=0",
    ];
    const output = await scope.start("ffprobe", ...args, path).succeed();
    const times = output.split("\n").filter((line) => line !== "").map((line) =>
      Number.parseFloat(line) * 1000
    );
    found.push(...stepsOf(times).map((step) => `${kind}: ${step}`));
  }
  return found;
}

function stepsOf(times: readonly number[]): string[] {
  return times.flatMap((time, index) => {
    const before = times[index - 1] ?? time;
    return time < before || time > before + MAX_STEP_MS ? [`${time} after ${before}`] : [];
  });
}
