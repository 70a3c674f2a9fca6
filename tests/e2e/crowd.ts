import { deepEqual, ok } from "node:assert/strict";
import type { StreamWatch } from "../fakes/stream_watch.ts";

/** How soon after their encoder's return all players have to see it, in milliseconds. */
const RESUME_LIMIT_MS = 1000;
/** Set to run what takes minutes, and to hold the server to its figures. */
export const SLOW_VARIABLE = "HEADWATER_SLOW_TESTS";
export const IS_SLOW: boolean = Deno.env.get(SLOW_VARIABLE) !== undefined;

/** Players of one stream, who stay while it comes and goes. */
export class Crowd {
  readonly players: readonly StreamWatch[];

  constructor(players: readonly StreamWatch[]) {
    this.players = players;
  }

  /** Waits until each has seen so many more messages. */
  async more(count: number): Promise<void> {
    await Promise.all(this.players.map((player) => player.more(count)));
  }

  /**
   * Fails unless all play on soon after their stream is back, with time going on.
   *
   * @param bringBack Resolves when it is: when the encoder was told so, or sends on.
   * @param limitMs Within which each sees it.
   */
  async playsOn(what: string, bringBack: () => unknown, limitMs: number = RESUME_LIMIT_MS): Promise<void> {
    const before = this.players.map(({ lastTimestamp, keyframes }) => ({ lastTimestamp, keyframes }));
    const seen = this.players.map(async (player) => {
      await player.more(1);
      return player.lastMs;
    });
    await bringBack();
    const backMs = performance.now();
    const times = (await Promise.all(seen)).map((ms) => Math.round(ms - backMs)).sort((a, b) => a - b);
    report(
      `${what}: ${times.length} players after ${times[times.length >> 1]} ms, the last ${times.at(-1)} ms`,
    );
    await this.more(20);
    this.assertUntroubled();
    for (const [index, { lastTimestamp, keyframes }] of this.players.entries()) {
      const earlier = before[index];
      ok(earlier !== undefined && lastTimestamp > earlier.lastTimestamp && keyframes > earlier.keyframes);
    }
    ok(
      (times.at(-1) ?? 0) <= limitMs,
      `the last player saw it after ${times.at(-1)} ms, limit is ${limitMs}`,
    );
  }

  /** Fails when one has seen nothing for longer than that, ever since it began. */
  assertNoPause(what: string, limitMs: number = RESUME_LIMIT_MS): void {
    const longestMs = Math.round(Math.max(...this.players.map(({ longestPauseMs }) => longestPauseMs)));
    report(`${what}: the longest pause of ${this.players.length} players is ${longestMs} ms`);
    ok(longestMs <= limitMs, `a player saw nothing for ${longestMs} ms, limit is ${limitMs}`);
  }

  /** Says what the longest pause was since the last time it was said. */
  reportPause(what: string): void {
    const longestMs = Math.round(Math.max(...this.players.map(({ longestPauseMs }) => longestPauseMs)));
    for (const player of this.players) player.longestPauseMs = 0;
    report(`${what}: the longest pause of ${this.players.length} players is ${longestMs} ms`);
  }

  /** Fails when one was disconnected or saw time go back. */
  assertUntroubled(): void {
    deepEqual(this.players.filter(({ isEnded }) => isEnded).length, 0, "players were disconnected");
    deepEqual(this.players.flatMap(({ wentBack }) => wentBack), []);
  }
}

/** For tests about time that passes. */
export async function pass(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Figures for the one who runs the slow tests. */
export function report(line: string): void {
  // deno-lint-ignore no-console -- what they are run for
  if (IS_SLOW) console.log(line);
}
