import assert from "node:assert/strict";
import { ReadPacer } from "../../lib/net/read_pacer.ts";
import { WriteScheduler, type WriteTarget } from "../../lib/net/write_scheduler.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";

class FakeTarget implements WriteTarget {
  rounds: number[] = [];
  readonly #clock: FakeClock;
  readonly #costMs: () => number;

  constructor(clock: FakeClock, costMs: () => number = () => 0) {
    this.#clock = clock;
    this.#costMs = costMs;
  }
  readonly cursors = [{
    notify: (): void => {
      this.rounds.push(this.#clock.now());
      this.#clock.spend(this.#costMs());
    },
  }];
}

Deno.test("WriteScheduler writes at once while few play, and one round for all that came in one read", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler("auto", clock);
  const [one, two] = [new FakeTarget(clock), new FakeTarget(clock)];
  scheduler.markDirty(one);
  scheduler.markDirty(two);
  scheduler.markDirty(one);
  assert.deepEqual(one.rounds, [], "not inside the read");
  await settle();
  assert.deepEqual([one.rounds, two.rounds], [[0], [0]]);
  await clock.advance(1);
  scheduler.markDirty(two);
  await settle();
  assert.deepEqual([one.rounds, two.rounds], [[0], [0, 1]]);
  assert.equal(clock.pending, 0);
});

Deno.test("WriteScheduler gathers for the time it is given", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler(100, clock);
  const target = new FakeTarget(clock);
  for (let at = 0; at < 1000; at += 10) {
    scheduler.markDirty(target);
    await clock.advance(10);
  }
  assert.deepEqual(target.rounds, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  await clock.advance(10_000);
  scheduler.markDirty(target);
  await settle();
  assert.equal(target.rounds.at(-1), 11_000, "after a pause nothing waits");
});

Deno.test("WriteScheduler flushes by time alone: the last messages before a stall go out", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler(350, clock);
  const target = new FakeTarget(clock);
  scheduler.markDirty(target);
  await settle();
  scheduler.markDirty(target);
  await clock.advance(350);
  assert.deepEqual(target.rounds, [0, 350]);
});

Deno.test("WriteScheduler gathers for about sixty times what a round costs, up to 350 ms, and comes back", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler("auto", clock);
  let costMs = 2;
  const target = new FakeTarget(clock, () => costMs);
  const run = async (ms: number) => {
    for (let at = 0; at < ms; at++) {
      scheduler.markDirty(target);
      await clock.advance(1);
    }
  };
  await run(2000);
  assert.ok(Math.abs(scheduler.gatherMs - 2 * 60) < 8, `${scheduler.gatherMs} ms`);
  costMs = 50;
  await run(20_000);
  assert.equal(scheduler.gatherMs, 350);
  costMs = 0;
  await run(30_000);
  assert.equal(scheduler.gatherMs, 0);
});

/** Players whose writes cost something when they begin, and more when they are done. */
function crowd(clock: FakeClock, count: number, beginMs: number, doneMs: number) {
  const seen = { notified: 0, mostATurn: 0, sinceTurn: 0 };
  const player = {
    notify(): void {
      seen.notified++;
      seen.mostATurn = Math.max(seen.mostATurn, ++seen.sinceTurn);
      clock.spend(beginMs);
      queueMicrotask(() => {
        seen.sinceTurn = 0;
        clock.spend(doneMs);
      });
    },
  };
  return { seen, target: { cursors: Array.from({ length: count }, () => player) } };
}

Deno.test("WriteScheduler measures a round whole, completions included, however many turns it takes", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler("auto", clock);
  const { seen, target } = crowd(clock, 200, 0.005, 0.01);
  for (let at = 0; at < 3000; at++) {
    scheduler.markDirty(target);
    await clock.advance(1);
  }
  assert.ok(seen.mostATurn <= 64, `${seen.mostATurn} players before all else had its turn`);
  assert.equal(seen.notified % 200, 0);
  assert.ok(Math.abs(scheduler.gatherMs - 200 * 0.015 * 60) < 8, `${scheduler.gatherMs} ms`);
});

Deno.test("WriteScheduler does not take for a round's cost what others do meanwhile", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler("auto", clock);
  const { target } = crowd(clock, 1, 0.05, 7);
  for (let at = 0; at < 3000; at++) {
    scheduler.markDirty(target);
    await clock.advance(1);
  }
  assert.equal(scheduler.gatherMs, 0);
});

Deno.test("WriteScheduler does not delay a lone player on a machine that is busy with something else", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler("auto", clock);
  let rounds = 0;
  // Two of three writes are interrupted for a while.
  const target = new FakeTarget(clock, () => ++rounds % 3 === 0 ? 0.05 : 4);
  for (let at = 0; at < 3000; at += 15) {
    scheduler.markDirty(target);
    await clock.advance(15);
    assert.equal(scheduler.gatherMs, 0);
  }
});

Deno.test("WriteScheduler begins no round while one is under way, and ends it when it is closed", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler(0, clock);
  const { seen, target } = crowd(clock, 1000, 0, 0);
  scheduler.markDirty(target);
  await Promise.resolve();
  await Promise.resolve();
  const begun = seen.notified;
  assert.ok(begun > 0 && begun <= 128, `${begun} players`);
  scheduler.markDirty(target);
  for (let i = 0; i < 20; i++) await settle();
  assert.equal(seen.notified, 2000, "the next round follows");
  scheduler.markDirty(target);
  await Promise.resolve();
  scheduler.close();
  for (let i = 0; i < 20; i++) await settle();
  assert.ok(seen.notified < 2200);
});

Deno.test("WriteScheduler that is closed leaves no timer", async () => {
  const clock = new FakeClock();
  const scheduler = new WriteScheduler(100, clock);
  const target = new FakeTarget(clock);
  scheduler.markDirty(target);
  await settle();
  scheduler.markDirty(target);
  assert.equal(clock.pending, 1);
  scheduler.close();
  assert.equal(clock.pending, 0);
  await clock.advance(1000);
  assert.equal(target.rounds.length, 1);
});

Deno.test("ReadPacer pauses for the time it is given, all publishers in one slot", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer(20, clock);
  const first = pacer.pause();
  await clock.advance(5);
  const second = pacer.pause();
  assert.ok(first !== undefined && second !== undefined);
  let resolved = 0;
  first.wait().then(() => resolved++);
  second.wait().then(() => resolved++);
  assert.equal(clock.pending, 1);
  await clock.advance(14);
  assert.equal(resolved, 0);
  await clock.advance(1);
  assert.equal(resolved, 2);
  assert.notEqual(pacer.pause(), first, "the next slot");
  await clock.advance(20);
});

Deno.test("ReadPacer does not pause when told 0, nor while reading is cheap", async () => {
  const clock = new FakeClock();
  assert.equal(new ReadPacer(0, clock).pause(), undefined);
  const pacer = new ReadPacer("auto", clock);
  for (let i = 0; i < 1000; i++) {
    pacer.note(0.05);
    await clock.advance(10);
    assert.equal(pacer.pause(), undefined);
  }
});

Deno.test("ReadPacer pauses more while reading is dear, up to 100 ms, and less when it is cheap again", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer("auto", clock);
  const run = async (costMs: number, times: number) => {
    for (let i = 0; i < times; i++) {
      pacer.note(costMs);
      await clock.advance(1);
    }
  };
  await run(0.8, 5000);
  assert.ok(pacer.pauseMs > 3, `${pacer.pauseMs} ms`);
  await run(1, 50_000);
  assert.equal(pacer.pauseMs, 100);
  await run(0.001, 50_000);
  assert.equal(pacer.pauseMs, 0);
});

Deno.test("ReadPacer reads just before the players' round, and not in between", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer("auto", clock);
  const reads: number[] = [];
  for (const inMs of [300, 4]) {
    const from = clock.now();
    const pause = pacer.pause({ gatherMs: 350, inMs }, 37_500);
    assert.notEqual(pause, undefined);
    assert.equal(
      pacer.pause({ gatherMs: 350, inMs }, 37_500),
      pause,
      "one slot for all publishers of a round",
    );
    pause?.wait().then(() => reads.push(clock.now() - from));
    await clock.advance(1000);
  }
  assert.deepEqual(reads, [292, 346], "8 ms before the round, or before the next one where that is too near");
});

Deno.test("ReadPacer lets nothing wait that fills the kernel, that is late, or that few wait for", () => {
  const pacer = new ReadPacer("auto", new FakeClock());
  assert.equal(pacer.pause({ gatherMs: 350, inMs: 300 }, 250_000), undefined, "2 Mbps");
  assert.equal(pacer.pause({ gatherMs: 350, inMs: -1 }, 37_500), undefined, "no round is due");
  assert.equal(pacer.pause({ gatherMs: 20, inMs: 15 }, 37_500), undefined, "a few players");
  assert.equal(
    new ReadPacer(0, new FakeClock()).pause({ gatherMs: 350, inMs: 300 }, 37_500),
    undefined,
    "told so",
  );
});

Deno.test("ReadPacer reads publishers whom nobody plays as seldom as the kernel can keep what they send", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer("auto", clock);
  const pauseMs = async (bytesPerSecond: number) => {
    const from = clock.now();
    let atMs: number | undefined;
    pacer.pauseUnwatched(bytesPerSecond)?.wait().then(() => atMs = clock.now() - from);
    await clock.advance(1000);
    return atMs;
  };
  assert.equal(await pauseMs(37_500), 350, "300 kbps");
  assert.equal(await pauseMs(250_000), 100, "2 Mbps: 25 kB");
  assert.equal(await pauseMs(2_500_000), undefined, "20 Mbps");
  assert.equal(await pauseMs(0), undefined, "not known yet");
  assert.equal(new ReadPacer(0, clock).pauseUnwatched(37_500), undefined, "told so");
});

Deno.test("ReadPacer spreads publishers whom nobody plays over a few slots", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer("auto", clock);
  const slots = new Set<unknown>();
  for (let i = 0; i < 100; i++) {
    slots.add(pacer.pauseUnwatched(37_500));
    await clock.advance(3);
  }
  assert.ok(slots.size >= 6 && slots.size <= 7, `${slots.size} slots`);
  await clock.advance(1000);
  assert.equal(clock.pending, 0);
});

Deno.test("a slot of many publishers lets all else have its turn between their reads, and wakes each once", async () => {
  const clock = new FakeClock();
  const pacer = new ReadPacer("auto", clock);
  const slot = pacer.pauseUnwatched(37_500);
  let woken = 0;
  const left = () => woken += 1000;
  for (let i = 0; i < 100; i++) slot?.add(() => woken++);
  slot?.add(left);
  slot?.delete(left);
  let most = 0;
  let before = 0;
  const look = () => {
    most = Math.max(most, woken - before);
    before = woken;
    if (woken < 100) clock.soon(look);
  };
  clock.setTimer(look, 349);
  await clock.advance(1000);
  assert.equal(woken, 100);
  assert.equal(most, 32);
  const another = pacer.pauseUnwatched(37_500);
  another?.add(() => woken++);
  pacer.close();
  assert.equal(woken, 101, "at the end nobody waits");
  assert.equal(clock.pending, 0);
});
