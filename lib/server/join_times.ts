import { Histograms } from "../base/histogram.ts";
import type { LiveStream } from "../hub/live_stream.ts";

/** Where a player's first media came from: published here, pulled from another server, or published here only after the player had come. */
export type JoinSource = "local" | "relay" | "awaited";

/** From a play request to its first media, in seconds. */
export type JoinTimes = Histograms<JoinSource>;

const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function newJoinTimes(): JoinTimes {
  return new Histograms<JoinSource>(["local", "relay", "awaited"], BOUNDS_SECONDS);
}

/** @param wasFed Whether somebody fed the stream when the player was let in. */
export function joinSource({ feed }: LiveStream, wasFed: boolean): JoinSource {
  if (feed?.kind === "pull") return "relay";
  return wasFed ? "local" : "awaited";
}
