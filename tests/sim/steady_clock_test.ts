import assert from "node:assert/strict";
import { SteadyClock } from "../../lib/base/steady_clock.ts";
import { FakeClock } from "../fakes/fake_clock.ts";

/** A steady clock on one that is moved by hand, and the pauses that it saw. */
function started(): { base: FakeClock; clock: SteadyClock; pauses: number[] } {
  const base = new FakeClock();
  const pauses: number[] = [];
  const clock = new SteadyClock(base, (pauseMs) => pauses.push(pauseMs));
  clock.start();
  return { base, clock, pauses };
}

Deno.test("a steady clock shows the time of the one beneath while the process runs", async () => {
  const { base, clock, pauses } = started();
  for (const ms of [1, 249, 250, 499, 10_000, 180_000]) {
    await base.advance(ms);
    assert.equal(clock.now(), base.now());
  }
  // Late by less than what is a pause.
  base.spend(500);
  assert.equal(clock.now(), base.now());
  assert.deepEqual(pauses, []);
});

Deno.test("a steady clock leaves a pause out, whoever looks at it first", async () => {
  for (const look of ["a caller", "the beat"]) {
    const { base, clock, pauses } = started();
    await base.advance(1000);
    base.spend(8000);
    if (look === "a caller") assert.equal(clock.now(), 1250);
    await base.advance(0);
    assert.equal(clock.now(), 1250);
    assert.deepEqual(pauses, [7750], look);
    await base.advance(5000);
    assert.equal(clock.now(), 6250);
    base.spend(3_600_000);
    assert.equal(clock.now(), 6500, "a second one too");
  }
});

Deno.test("a steady clock goes on where the process runs in fits", async () => {
  const { base, clock } = started();
  for (let i = 0; i < 100; i++) {
    base.spend(2000);
    await base.advance(0);
  }
  assert.equal(clock.now(), 25_000, "deadlines come later, not never");
});

Deno.test("a timer that falls due in a pause waits for the rest of its time", async () => {
  const { base, clock } = started();
  const fired: string[] = [];
  clock.setTimer(() => fired.push("1000"), 1000);
  clock.setTimer(() => fired.push("3000"), 3000);
  await base.advance(500);
  base.spend(60_000);
  await base.advance(0);
  assert.equal(clock.now(), 750);
  await base.advance(249);
  assert.deepEqual(fired, []);
  await base.advance(1);
  assert.deepEqual(fired, ["1000"]);
  await base.advance(3000 - clock.now() - 1);
  assert.deepEqual(fired, ["1000"]);
  await base.advance(1);
  assert.deepEqual(fired, ["1000", "3000"]);
});

Deno.test("a timer of a steady clock can be cleared, before and after a pause", async () => {
  const { base, clock } = started();
  const fired: number[] = [];
  const first = clock.setTimer(() => fired.push(1), 1000);
  const second = clock.setTimer(() => fired.push(2), 2000);
  clock.clearTimer(first);
  base.spend(10_000);
  await base.advance(0);
  clock.clearTimer(second);
  clock.clearTimer(second);
  await base.advance(10_000);
  assert.deepEqual(fired, []);
});

Deno.test("a steady clock that is stopped leaves no timer behind, and time goes on", async () => {
  const { base, clock, pauses } = started();
  await base.advance(300);
  clock.stop();
  assert.equal(base.pending, 0);
  base.spend(10_000);
  assert.equal(clock.now(), 10_300);
  assert.deepEqual(pauses, []);
});
