import { deepEqual, equal } from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { OriginPool } from "../../lib/upstream/origin_pool.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";

const A = { hostname: "10.0.0.1", port: 1935 };
const B = { hostname: "10.0.0.2", port: 1935 };
const UNREACHABLE = new RtmpError("unreachable", "Cannot connect");

/** A pool whose probes the test answers. */
class Probed {
  readonly clock: FakeClock = new FakeClock();
  readonly probes: { origin: typeof A; answer: (isAlive: boolean) => void }[] = [];
  alive = 0;
  readonly pool = new OriginPool(
    [A, B],
    this.clock,
    (origin) =>
      new Promise((answer) => {
        this.probes.push({ origin, answer });
      }),
    () => this.alive++,
  );

  async answer(isAlive: boolean): Promise<void> {
    this.probes.shift()?.answer(isAlive);
    await settle();
  }
}

Deno.test("streams begin at different origins and go on to the others", () => {
  const { pool } = new Probed();
  const firsts = new Set(Array.from({ length: 20 }, (_, index) => pool.candidates(`/live/${index}`)[0]));
  equal(firsts.size, 2);
  equal(pool.candidates("/live/a").length, 2);
  deepEqual(pool.candidates("/live/a"), pool.candidates("/live/a"));
});

Deno.test("an origin that can't be reached is tried by no stream until a probe has reached it", async () => {
  const probed = new Probed();
  const { pool, clock, probes } = probed;
  pool.tried(A, UNREACHABLE);
  deepEqual(pool.candidates("/live/a"), [B]);
  equal(probes.length, 0);
  await clock.advance(250);
  for (let stream = 0; stream < 1000; stream++) deepEqual(pool.candidates(`/live/${stream}`), [B]);
  deepEqual(probes.map(({ origin }) => origin), [A]);
  await probed.answer(false);
  await clock.advance(499);
  deepEqual(pool.candidates("/live/a"), [B]);
  equal(probes.length, 0);
  await clock.advance(1);
  deepEqual(pool.candidates("/live/a"), [B]);
  equal(probed.alive, 0);
  await probed.answer(true);
  equal(pool.candidates("/live/a").length, 2);
  equal(probed.alive, 1, "streams that look for it are told");
});

Deno.test("an origin that says no can be reached, and one that was tried by a push is whole again", () => {
  const { pool } = new Probed();
  pool.tried(A, new RtmpError("stream-not-found", "It has no such stream"));
  equal(pool.candidates("/live/a").length, 2);
  pool.tried(B, UNREACHABLE);
  equal(pool.candidates("/live/a").length, 1);
  equal(pool.all("/live/a").length, 2);
  pool.tried(B, undefined);
  equal(pool.candidates("/live/a").length, 2);
});

Deno.test("what came of a server that is no origin is not kept", async () => {
  const { pool, clock, probes } = new Probed();
  pool.tried({ hostname: "10.0.0.9", port: 1935 }, UNREACHABLE);
  await clock.advance(250);
  equal(pool.candidates("/live/a").length, 2);
  deepEqual(probes, []);
});
