import assert from "node:assert/strict";
import { Allowance } from "../../lib/base/allowance.ts";

Deno.test("an allowance gives so many at once, then one an interval", () => {
  const allowance = new Allowance(3, 1000);
  const waits = Array.from({ length: 6 }, () => allowance.take(5000));
  assert.deepEqual(waits, [0, 0, 0, 1000, 2000, 3000]);
});

Deno.test("an allowance is earned again with time, and never more than the burst", () => {
  const allowance = new Allowance(2, 1000);
  assert.deepEqual([0, 0, 0].map((at) => allowance.take(at)), [0, 0, 1000]);
  assert.deepEqual([1000, 2000, 3000].map((at) => allowance.take(at)), [1000, 1000, 1000], "one an interval");
  assert.equal(allowance.take(10_000), 0);
  assert.equal(allowance.take(10_000), 0);
  assert.equal(allowance.take(10_000), 1000);
  assert.equal(allowance.take(1e9), 0);
});
