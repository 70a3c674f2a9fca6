import { join } from "node:path";

/** Names a folder with `ffmpeg`, `ffprobe` and the libraries of FFmpeg 7.1, which plays Enhanced RTMP. */
export const FFMPEG7_VARIABLE = "HEADWATER_TEST_FFMPEG7";

/** The module of nginx that speaks RTMP, where Debian's `libnginx-mod-rtmp` puts it. */
export const NGINX_RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** The module of nginx that passes on TCP, where Debian's `libnginx-mod-stream` puts it. */
export const NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/**
 * Programs that tests use. `ffprobe7` is the one in the folder that HEADWATER_TEST_FFMPEG7 names; `nginx-rtmp` is nginx with its module
 * for RTMP, `nginx-stream` with the one for TCP.
 */
export type ProgramName =
  | "ffmpeg"
  | "ffprobe"
  | "rtmpdump"
  | "gst-launch-1.0"
  | "chromium"
  | "nginx-rtmp"
  | "nginx-stream"
  | "mpv"
  | "openssl"
  | "python3"
  | "promtool"
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
  const isNginx = name === "nginx-rtmp" || name === "nginx-stream";
  if (isNginx) {
    // Not in the path of everybody.
    folders.push("/usr/sbin");
    if (!isFile(name === "nginx-rtmp" ? NGINX_RTMP_MODULE : NGINX_STREAM_MODULE)) return undefined;
  }
  const file = isNginx ? "nginx" : name;
  const path = folders.map((folder) => join(folder, file)).find(isFile);
  return path === undefined ? undefined : { path, env: {} };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
