import assert from "node:assert/strict";
import { RateMeter } from "../../lib/base/rate_meter.ts";

Deno.test("RateMeter tells the rate of its whole life while it is younger than the window", () => {
  const meter = new RateMeter();
  assert.equal(meter.perSecond(), 0);
  meter.sample(0, 1000);
  assert.equal(meter.perSecond(), 0);
  meter.sample(500, 1500);
  assert.equal(meter.perSecond(), 1000);
  meter.sample(500, 2000);
  assert.equal(meter.perSecond(), 500);
});

for (const tickMs of [40, 1000, 2000, 7000]) {
  Deno.test(`RateMeter forgets within a window and two intervals, with samples every ${tickMs} ms`, () => {
    const meter = new RateMeter(30_000);
    let total = 0;
    let nowMs = 0;
    meter.sample(total, nowMs);
    const run = (durationMs: number, perSecond: number): void => {
      for (const endMs = nowMs + durationMs; nowMs < endMs;) {
        nowMs += tickMs;
        total += perSecond * tickMs / 1000;
        meter.sample(total, nowMs);
      }
    };
    run(120_000, 700);
    assert.ok(Math.abs(meter.perSecond() - 700) < 1e-6, `${meter.perSecond()}`);
    run(30_000 + 2 * Math.max(tickMs, 2000), 100);
    assert.ok(Math.abs(meter.perSecond() - 100) < 1e-6, `${meter.perSecond()}`);
    run(15_000, 0);
    const half = meter.perSecond();
    assert.ok(half > 35 && half < 65, `${half}`);
    run(30_000 + 2 * Math.max(tickMs, 2000), 0);
    assert.equal(meter.perSecond(), 0);
  });
}

Deno.test("RateMeter starts afresh when the total shrinks or the clock goes back", () => {
  const meter = new RateMeter();
  meter.sample(1000, 0);
  meter.sample(2000, 1000);
  meter.sample(10, 2000);
  assert.equal(meter.perSecond(), 0);
  meter.sample(20, 3000);
  assert.equal(meter.perSecond(), 10);
  meter.sample(30, 100);
  assert.equal(meter.perSecond(), 0);
});

Deno.test("RateMeter refuses a window of no length", () => {
  assert.throws(() => new RateMeter(0), RangeError);
});
