/**
 * Whether the cost of handling what a stranger sends grows with its size and no faster.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { report } from "../e2e/crowd.ts";

/** One way in, with the worst that can come through it. */
export interface Entrance {
  /** What comes in, such as `tcUrl`. */
  readonly name: string;
  /** The smaller size, in bytes or items; the larger is eight times that. */
  readonly size: number;
  /**
   * What is bad about an input, such as `of slashes`, and what makes one of a size. What is returned handles it once, as often as it
   * is called, and is measured; a promise is waited for.
   */
  readonly kinds: Readonly<Record<string, (size: number) => () => unknown>>;
  /** Absent: sizes are of bytes, or of items that cost about as little. */
  readonly harmlessNs?: number;
}

const FACTOR = 8;
/** Eight times the input may cost so many times as much: what is linear takes 8, what is quadratic 64. */
const MAX_GROWTH = 20;
/**
 * What costs less for each byte or item, in nanoseconds, harms nobody: a buffer that does not fit the processor's cache any more, or
 * that the garbage collector keeps elsewhere, can cost more than 20 times the one that did.
 */
const HARMLESS_NS = 100;
/**
 * The same for items each of which is a whole stream, client or request: those of the larger size outlive a collection of garbage,
 * and are moved by it. Nobody makes as many of them as of bytes.
 */
export const HARMLESS_OBJECT_NS = 2500;
/** A measurement lasts at least so long, in milliseconds: what is faster is repeated. */
const MEASUREMENT_MS = 1.5;
const MAX_REPEATS = 4000;
/** The machine is busy with other tests: the fastest of so many counts. */
const MEASUREMENTS = 6;
/** And when that looks bad, it is all done again so often. */
const ATTEMPTS = 4;
/** No second look at what takes so long, in milliseconds: linear work of these sizes never does. */
const HOPELESS_MS = 2000;

/** Times of one call, in milliseconds. */
interface Times {
  smallMs: number;
  largeMs: number;
}

/** A test for each entrance, named after it, so that a run of the tests lists them. */
export function testGrowth(entrances: readonly Entrance[]): void {
  for (const { name, size, kinds, harmlessNs } of entrances) {
    const count = Object.keys(kinds).length;
    Deno.test(`n and 8n: ${name} (${count === 1 ? "1 kind" : `${count} kinds`})`, async () => {
      const tooSteep: string[] = [];
      for (const [kind, prepare] of Object.entries(kinds)) {
        const { isLinear, figures } = await measureOrTell(size, prepare, harmlessNs);
        report(`${name}, ${kind}: ${figures}`);
        if (!isLinear) tooSteep.push(`${kind}: ${figures}`);
      }
      ok(tooSteep.length === 0, `${name} costs more than linear work: ${tooSteep.join("; ")}`);
    });
  }
}

/** As `measureGrowth`; a fault in one kind does not hide the others. */
async function measureOrTell(
  size: number,
  prepare: (size: number) => () => unknown,
  harmlessNs: number | undefined,
): Promise<GrowthResult> {
  try {
    return await measureGrowth(size, prepare, harmlessNs);
  } catch (error) {
    return { isLinear: false, figures: `failed: ${error instanceof Error ? error.stack : error}` };
  }
}

/** Whether a cost is what the size lets expect, and the figures behind that. */
export interface GrowthResult {
  readonly isLinear: boolean;
  readonly figures: string;
}

/** Compares what the larger input costs with what the smaller one does. */
export async function measureGrowth(
  size: number,
  prepare: (size: number) => () => unknown,
  harmlessNs: number = HARMLESS_NS,
): Promise<GrowthResult> {
  const harmlessMs = size * FACTOR * harmlessNs / 1e6;
  const small = prepare(size);
  const large = prepare(size * FACTOR);
  let times = { smallMs: Infinity, largeMs: Infinity };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    times = await measure(small, large, harmlessMs);
    if (isLinear(times, harmlessMs) || times.largeMs > HOPELESS_MS) break;
  }
  const { smallMs, largeMs } = times;
  const text = (ms: number) => ms >= 10 ? `${Math.round(ms)} ms` : `${(ms * 1000).toFixed(1)} µs`;
  return {
    isLinear: isLinear(times, harmlessMs),
    figures: `${size} took ${text(smallMs)}, ${size * FACTOR} took ${text(largeMs)}, ` +
      `${(largeMs / smallMs).toFixed(1)} times as long (limit is ${MAX_GROWTH})`,
  };
}

function isLinear({ smallMs, largeMs }: Times, harmlessMs: number): boolean {
  return largeMs <= Math.max(MAX_GROWTH * smallMs, harmlessMs);
}

async function measure(small: () => unknown, large: () => unknown, harmlessMs: number): Promise<Times> {
  const firstMs = await timeOf(large, 1);
  if (firstMs > HOPELESS_MS) return { smallMs: await timeOf(small, 1), largeMs: firstMs };
  let onceMs = Infinity;
  // Compiled before it counts.
  for (let i = 0; i < 10; i++) onceMs = Math.min(onceMs, await timeOf(small, 1));
  const repeats = Math.min(MAX_REPEATS, Math.max(1, Math.ceil(MEASUREMENT_MS / Math.max(onceMs, 0.0001))));
  const times = { smallMs: Infinity, largeMs: Infinity };
  for (let i = 0; i < MEASUREMENTS; i++) {
    times.smallMs = Math.min(times.smallMs, await timeOf(small, repeats) / repeats);
    const largeRepeats = Math.ceil(repeats / FACTOR);
    times.largeMs = Math.min(times.largeMs, await timeOf(large, largeRepeats) / largeRepeats);
    if (isLinear(times, harmlessMs)) break;
  }
  return times;
}

async function timeOf(run: () => unknown, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return performance.now() - start;
}
