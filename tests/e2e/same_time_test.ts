import { deepEqual, equal, ok } from "node:assert/strict";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { until } from "../fakes/deadline.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { startEncoder } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

programTest(
  [],
  "an edge and an edge before it show the origin's time for each frame, also when a pull has broken",
  async (scope) => {
    const origin = await LocalNode.start(scope);
    await startEncoder(scope, origin.rtmp.port, "a");
    const atOrigin = await frameTimes(scope, origin);
    await until(() => atOrigin.size > 30, "a stream that is not new");
    const far = await startLocalEdge(scope, [origin]);
    const near = await startLocalEdge(scope, [far]);
    const atEdges = [await frameTimes(scope, far), await frameTimes(scope, near)];
    await until(() => atEdges.every((times) => times.size > 20), "frames at the edges");
    await kickPlayers(origin, 1);
    const newest = Math.max(...atOrigin.keys());
    await until(() => atEdges.every((times) => times.has(newest + 30)), "frames after the break");
    for (const times of atEdges) {
      // What came at the origin while the pull was broken, before its newest group, is missed.
      const numbers = [...times.keys()];
      deepEqual(numbers, numbers.toSorted((a, b) => a - b));
      for (const [number, time] of times) equal(time, atOrigin.get(number) ?? time);
    }
  },
);

/** The time of each frame by its number, as a player is given them, from now on. */
async function frameTimes(scope: TestScope, node: LocalNode): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  const client = await connectLocally(node.rtmp.port, "live", ({ typeId, timestamp, payload }) => {
    if (typeId !== MESSAGE_TYPE.video || payload.length < 100) return;
    const number = new DataView(payload.buffer, payload.byteOffset).getUint32(5);
    ok(!times.has(number), `frame ${number} comes twice`);
    times.set(number, timestamp);
  });
  scope.onClose(() => client.close());
  await client.play("a");
  return times;
}

/** Throws out the newest players of a node; the test's own are older. */
async function kickPlayers(node: LocalNode, count: number): Promise<void> {
  const api = `http://${node.api}/api/v1/clients`;
  const { clients } = await (await fetch(api)).json() as {
    clients: { id: string; publish: boolean; alive: number }[];
  };
  const players = clients.filter(({ publish }) => !publish).sort((a, b) => a.alive - b.alive).slice(0, count);
  equal(players.length, count);
  for (const { id } of players) await (await fetch(`${api}/${id}`, { method: "DELETE" })).body?.cancel();
}
