/**
 * Chance that can be repeated. Each run of the tests takes another seed, which stands in the names of the tests that use it; the
 * variable repeats a run.
 *
 * @module
 */

import { IS_SLOW } from "../e2e/crowd.ts";

/** Names a seed to run with, from 0 to 4294967295. */
export const SEED_VARIABLE = "HEADWATER_TEST_SEED";

/** Of this run. */
export const SEED: number = readSeed();
/** For the names of tests, and for what a failure says. */
export const SEED_TEXT = `${SEED_VARIABLE}=${SEED}`;

function readSeed(): number {
  const text = Deno.env.get(SEED_VARIABLE);
  if (text === undefined || text === "") return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
    throw new RangeError(`Cannot use ${SEED_VARIABLE}: value is '${text}', must be 0 to 4294967295`);
  }
  return seed;
}

/**
 * How many cases to draw: all of them where the slow tests run too. Elsewhere it is fewer, since each run draws others.
 *
 * @param fewer What tells of all that the test holds.
 */
export function casesOf(all: number, fewer: number): number {
  return IS_SLOW ? all : fewer;
}

/** xorshift32. */
export class Random {
  #state: number;

  /** @param index Of a case: the same one is the same again with the same seed. */
  constructor(index: number, seed: number = SEED) {
    this.#state = (Math.imul(index + 1, 2654435761) ^ seed) >>> 0 || 1;
    for (let i = 0; i < 4; i++) this.below(2);
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % limit;
  }

  /** Happens once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
