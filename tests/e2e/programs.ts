import { join } from "node:path";

/** Names a folder with `ffmpeg`, `ffprobe` and the libraries of FFmpeg 7.1, which plays Enhanced RTMP. */
export const FFMPEG7_VARIABLE = "HEADWATER_TEST_FFMPEG7";

/** Programs that tests use. `ffprobe7` is the one in the folder that HEADWATER_TEST_FFMPEG7 names. */
export type ProgramName =
  | "ffmpeg"
  | "ffprobe"
  | "rtmpdump"
  | "gst-launch-1.0"
  | "chromium"
  | "ffmpeg7"
  | "ffprobe7";

/** How a program is started. */
export interface ProgramLocation {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where a program is, or undefined. */
export function findProgram(name: ProgramName): ProgramLocation | undefined {
  if (name === "ffmpeg7" || name === "ffprobe7") {
    const folder = Deno.env.get(FFMPEG7_VARIABLE);
    if (folder === undefined || folder === "") return undefined;
    const path = join(folder, name.slice(0, -1));
    return isFile(path) ? { path, env: { LD_LIBRARY_PATH: folder } } : undefined;
  }
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const path = folders.map((folder) => join(folder, name)).find(isFile);
  return path === undefined ? undefined : { path, env: {} };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
