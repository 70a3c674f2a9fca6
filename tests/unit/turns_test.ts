import assert from "node:assert/strict";
import { Turns } from "../../lib/base/turns.ts";
import { settle } from "../fakes/fake_clock.ts";

/** Takes turns and notes who has one. */
class Taken {
  readonly turns: Turns = new Turns(2);
  readonly names: string[] = [];
  readonly ends = new Map<string, () => void>();

  async take(name: string, signal: AbortSignal = new AbortController().signal): Promise<void> {
    try {
      this.ends.set(name, await this.turns.take(signal));
      this.names.push(name);
    } catch (error) {
      this.names.push(`${name} left: ${error}`);
    }
  }

  async end(name: string): Promise<void> {
    this.ends.get(name)?.();
    await settle();
  }
}

Deno.test("so many have a turn at once, the others in the order in which they came", async () => {
  const taken = new Taken();
  const all = ["a", "b", "c", "d"].map((name) => taken.take(name));
  await settle();
  assert.deepEqual(taken.names, ["a", "b"]);
  await taken.end("b");
  assert.deepEqual(taken.names, ["a", "b", "c"]);
  await taken.end("a");
  assert.deepEqual(taken.names, ["a", "b", "c", "d"]);
  await Promise.all(all);
});

Deno.test("who leaves while it waits takes nobody's turn", async () => {
  const taken = new Taken();
  const leaver = new AbortController();
  const all = [taken.take("a"), taken.take("b"), taken.take("c", leaver.signal), taken.take("d")];
  await settle();
  leaver.abort("tired");
  await settle();
  assert.deepEqual(taken.names, ["a", "b", "c left: tired"]);
  for (const name of ["a", "b"]) await taken.end(name);
  await Promise.all(all);
  // All turns are free again.
  await taken.end("d");
  await Promise.all([taken.take("e"), taken.take("f")]);
  assert.deepEqual(taken.names.slice(3), ["d", "e", "f"]);
});
