/// <reference lib="dom" />
import type Mpegts from "mpegts.js";

/** mpegts.js, which the page loads before its own script. */
export type MpegtsLibrary = typeof Mpegts.default;
export type MpegtsPlayer = Mpegts.default.Player;
export type MpegtsConfig = Mpegts.default.Config;
export type MediaInfo = Mpegts.default.MSEPlayerMediaInfo;

/** What it tells when it fails, besides the kind of failure. */
export interface FailureInfo {
  /** An HTTP status. */
  readonly code?: number;
  readonly msg?: string;
}

/** Undefined where the browser can't play with it. */
export function findLibrary(): MpegtsLibrary | undefined {
  const { mpegts } = globalThis as { readonly mpegts?: MpegtsLibrary };
  return mpegts?.isSupported() ? mpegts : undefined;
}
