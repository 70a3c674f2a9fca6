import { findProgram } from "./programs.ts";
import { RunningProgram } from "./running_program.ts";

const VIDEO_INPUT = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"];
const AUDIO_INPUT = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
/** With B-frames, a key frame each second. */
const H264 = [
  "-c:v",
  "libx264",
  "-preset",
  "veryfast",
  "-bf",
  "2",
  "-g",
  "25",
  "-b:v",
  "300k",
  "-pix_fmt",
  "yuv420p",
];
const AAC = ["-c:a", "aac", "-b:a", "64k"];
const HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

/** How each file is made. */
const RECIPES = {
  "av.flv": [...VIDEO_INPUT, ...AUDIO_INPUT, "-t", "20", ...H264, ...AAC],
  "audio.flv": [...AUDIO_INPUT, "-t", "20", ...AAC],
  "video.flv": [...VIDEO_INPUT, "-t", "20", ...H264],
  // A key frame each 200 ms, and an index of the 520 of them in its metadata: more than our limits allow.
  "index.flv": [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=64x64:rate=5",
    "-t",
    "104",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-flvflags",
    "add_keyframe_index",
  ],
  "video.h265": [
    ...VIDEO_INPUT,
    "-t",
    "4",
    ...HEVC,
    "-x265-params",
    "keyint=25:bframes=0:aud=1:repeat-headers=1:log-level=error",
  ],
  "video.ivf": [
    ...VIDEO_INPUT,
    "-t",
    "4",
    "-c:v",
    "libaom-av1",
    "-usage",
    "realtime",
    "-cpu-used",
    "8",
    "-g",
    "25",
  ],
  "audio.ogg": ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "4", "-c:a", "libopus"],
} as const;

/** Files that `mediaFile` makes. Those of FLV last 20 s, the one with an index 104 s. */
export type MediaFileName = keyof typeof RECIPES;

let folder: string | undefined;
const files = new Map<MediaFileName, Promise<string>>();

/** The path of a file made with ffmpeg, once for all tests of a module. */
export function mediaFile(name: MediaFileName): Promise<string> {
  const made = files.get(name) ?? makeFile(name);
  files.set(name, made);
  return made;
}

async function makeFile(name: MediaFileName): Promise<string> {
  folder ??= makeFolder();
  const path = `${folder}/${name}`;
  const program = findProgram("ffmpeg");
  if (program === undefined) throw new Error(`Cannot make ${name}: there is no ffmpeg`);
  await RunningProgram.start(program.path, ["-v", "error", "-y", ...RECIPES[name], path]).succeed();
  return path;
}

function makeFolder(): string {
  const made = Deno.makeTempDirSync({ prefix: "headwater-media-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  return made;
}
