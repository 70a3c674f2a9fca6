import { deepEqual, ok } from "node:assert/strict";
import type { TestScope } from "./test_scope.ts";

/** What identifies a stream to a viewer: sorted, an object each stream. */
export type StreamDescription = Readonly<Record<string, unknown>>;

const DESCRIBED = [
  "codec_type",
  "codec_name",
  "width",
  "height",
  "r_frame_rate",
  "sample_rate",
  "channels",
] as const;

/** How `describeStreams` asks. */
export interface DescribeOptions {
  readonly program?: "ffprobe" | "ffprobe7";
  readonly options?: readonly string[];
}

/** Codecs, sizes and rates of a file or URL, video last. */
export async function describeStreams(
  scope: TestScope,
  source: string,
  { program = "ffprobe", options = [] }: DescribeOptions = {},
): Promise<StreamDescription[]> {
  const args = ["-v", "error", "-show_streams", "-of", "json", ...options, source];
  const output = await scope.start(program, ...args).succeed();
  const { streams } = JSON.parse(output) as { streams: Record<string, unknown>[] };
  return streams
    .map((stream) => Object.fromEntries(DESCRIBED.map((name) => [name, stream[name]])))
    .sort((a, b) => String(a["codec_type"]) < String(b["codec_type"]) ? -1 : 1);
}

/** MD5 of each packet of a file, in order, by media type. */
export async function packetHashes(scope: TestScope, path: string): Promise<Map<string, string[]>> {
  const hashes = new Map<string, string[]>();
  const args = [
    "-v",
    "error",
    "-i",
    path,
    "-map",
    "0:v?",
    "-map",
    "0:a?",
    "-c",
    "copy",
    "-f",
    "framemd5",
    "-",
  ];
  const types = new Map<string, string>();
  for (const line of (await scope.start("ffmpeg", ...args).succeed()).split("\n")) {
    const type = /^#media_type (\d+): (\w+)/.exec(line);
    if (type?.[1] !== undefined && type[2] !== undefined) {
      types.set(type[1], type[2]);
      hashes.set(type[2], []);
    }
    if (line.startsWith("#") || line === "") continue;
    const fields = line.split(",").map((field) => field.trim());
    hashes.get(types.get(fields[0] ?? "") ?? "")?.push(fields[5] ?? "");
  }
  return hashes;
}

/**
 * Fails unless what was recorded is an unbroken part of the source, stream by stream.
 *
 * @param atLeast Packets that each recorded stream must have.
 */
export async function assertSameFrames(
  scope: TestScope,
  recorded: string,
  source: string,
  atLeast: number,
): Promise<void> {
  const expected = await packetHashes(scope, source);
  const actual = await packetHashes(scope, recorded);
  deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [type, hashes] of actual) {
    ok(hashes.length >= atLeast, `${type}: ${hashes.length} packets recorded, at least ${atLeast} expected`);
    const all = expected.get(type) ?? [];
    const start = all.findIndex((_, index) => hashes.every((hash, offset) => all[index + offset] === hash));
    if (start >= 0) continue;
    const first = all.indexOf(hashes[0] ?? "");
    const broken = hashes.findIndex((hash, offset) => all[first + offset] !== hash);
    const found = hashes.slice(broken - 2, broken + 12).map((hash) => all.indexOf(hash));
    const what = `${type}: packet ${broken} of ${hashes.length} is not the source's packet ${first + broken}`;
    ok(false, `${what}; from two before it on they are its ${found}`);
  }
}
