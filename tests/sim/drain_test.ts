/**
 * A drain's steps in time, with clients that do what a test tells them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { ClientRegistry, type RegisteredClient } from "../../lib/server/client_registry.ts";
import { Drain } from "../../lib/server/drain.ts";
import { FakeClock } from "../fakes/fake_clock.ts";

/** Clients of a server that drains, and what it did to each: `move NAME`, `end NAME`, with the second. */
class Stage {
  readonly clock = new FakeClock();
  readonly clients = new ClientRegistry(this.clock);
  readonly did: string[] = [];
  readonly drain: Drain;
  readonly #removes = new Map<string, () => void>();

  constructor() {
    this.drain = new Drain({
      clients: this.clients,
      clock: this.clock,
      wallNow: () => 1_000_000 + this.clock.now(),
      log: getLogger(["test"]),
      onDraining: (isDraining) => this.#note(isDraining ? "closed" : "open"),
    });
  }

  /** @param kind `mover` follows, and leaves when it is told to; `stayer` does not. */
  add(name: string, role: "publish" | "play" | "idle", kind: "mover" | "stayer" = "stayer"): void {
    const client = {
      id: name,
      isActive: role !== "idle",
      isClosing: false,
      isPublishing: role === "publish",
      move: () => {
        if (kind === "mover") this.#note(`move ${name}`);
        return kind === "mover";
      },
      shutDown: () => {
        this.#note(`end ${name}`);
        this.leave(name);
      },
    };
    this.#removes.set(name, this.clients.add(client as unknown as RegisteredClient));
  }

  leave(name: string): void {
    this.#removes.get(name)?.();
  }

  #note(what: string): void {
    this.did.push(`${Math.round(this.clock.now() / 100) / 10} ${what}`);
  }
}

Deno.test("a drain announces, then lets nobody in and moves who follows, then ends who is left, encoders first", async () => {
  const stage = new Stage();
  stage.add("player", "play");
  stage.add("encoder", "publish");
  stage.add("edge", "play", "mover");
  stage.add("mover", "publish", "mover");
  stage.add("silent", "idle");
  const drained = stage.drain.begin({ startWaitMs: 2000, graceMs: 10_000 });
  assert.equal(stage.drain.state, "announced");
  await stage.clock.advance(2000);
  assert.equal(stage.drain.state, "draining");
  assert.deepEqual(stage.did, ["2 closed", "2 move edge", "2 move mover"]);
  stage.leave("edge");
  stage.leave("mover");
  await stage.clock.advance(9900);
  assert.deepEqual(stage.drain.report, {
    state: "draining",
    startedAtMs: 1_000_000,
    graceEndsAtMs: 1_012_000,
    movedPublishers: 1,
    movedPlayers: 1,
    closedPublishers: 0,
    closedPlayers: 0,
    publishers: 1,
    players: 1,
  });
  await stage.clock.advance(2000);
  await drained;
  assert.deepEqual(stage.did.slice(3), ["12 end encoder", "12.2 end player", "12.4 end silent"]);
  const { state, closedPublishers, closedPlayers } = stage.drain.report;
  assert.deepEqual([state, closedPublishers, closedPlayers], ["drained", 1, 1]);
  assert.equal(stage.clock.pending, 0);
});

Deno.test("a drain is over when the last client has left", async () => {
  const stage = new Stage();
  stage.add("player", "play");
  const drained = stage.drain.begin({ startWaitMs: 0, graceMs: 60_000 });
  await stage.clock.advance(5000);
  stage.leave("player");
  await stage.clock.advance(200);
  await drained;
  assert.deepEqual([stage.drain.state, stage.did], ["drained", ["0 closed"]]);
});

Deno.test("a crowd is ended in ten batches within two seconds", async () => {
  const stage = new Stage();
  for (let index = 0; index < 95; index++) stage.add(`p${index}`, "play");
  const drained = stage.drain.begin({ startWaitMs: 0, graceMs: 0 });
  await stage.clock.advance(3000);
  await drained;
  const batches = Object.entries(Object.groupBy(stage.did.slice(1), (line) => line.split(" ")[0] as string));
  assert.equal(batches.length, 10);
  assert.ok(batches.every(([, batch]) => (batch?.length ?? 0) <= 10));
  assert.ok(Number(batches.at(-1)?.[0]) <= 1.8);
});

for (const [state, afterMs] of [["announced", 500], ["draining", 1500], ["drained", 30_000]] as const) {
  Deno.test(`a server that is ${state} can be taken back into service, and drained again`, async () => {
    const stage = new Stage();
    if (state !== "drained") stage.add("player", "play");
    const first = stage.drain.begin({ startWaitMs: 1000, graceMs: 20_000 });
    await stage.clock.advance(afterMs);
    assert.equal(stage.drain.state, state);
    stage.drain.cancel();
    stage.drain.cancel();
    await first;
    assert.equal(stage.drain.state, "off");
    assert.equal(stage.did.filter((line) => line.endsWith(" open")).length, 1);
    assert.ok(!stage.did.some((line) => line.includes("end")));
    await stage.clock.advance(60_000);
    assert.equal(stage.drain.state, "off");
    const second = stage.drain.begin({ startWaitMs: 0, graceMs: 0 });
    await stage.clock.advance(3000);
    await second;
    assert.equal(stage.drain.state, "drained");
    assert.equal(stage.clock.pending, 0);
  });
}

Deno.test("a drain that has begun is not begun again by another request", async () => {
  const stage = new Stage();
  stage.add("player", "play");
  const first = stage.drain.begin({ startWaitMs: 0, graceMs: 10_000 });
  const second = stage.drain.begin({ startWaitMs: 0, graceMs: 0 });
  await stage.clock.advance(5000);
  assert.equal(stage.drain.state, "draining");
  await stage.clock.advance(8000);
  await Promise.all([first, second]);
  assert.equal(stage.drain.state, "drained");
});
