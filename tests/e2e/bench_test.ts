import assert from "node:assert/strict";
import { Child } from "../../bench/child.ts";
import { snapshots, startLoad } from "../../bench/load_process.ts";

Deno.test("the bench goes on when a server leaves its clients without an answer", async (t) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const crowd = { port, count: 3, rate: 1000, limitMs: 200 };
  for (
    const task of [
      { ...crowd, kind: "players", readEveryMs: 50 },
      { ...crowd, kind: "flv", readEveryMs: 50 },
      { ...crowd, kind: "publishers", kbps: 300 },
    ] as const
  ) {
    await t.step(task.kind, async () => {
      const load = startLoad(task);
      try {
        await load.line();
        const [snapshot] = await snapshots([load]);
        assert.equal(snapshot?.failed, 3);
        assert.match(snapshot?.reason ?? "", /Cannot start client \d: it is not there after 0\.2 s/);
      } finally {
        await load.stop();
      }
    });
  }
  for (const connection of connections) connection.close();
  listener.close();
  await accepting;
});

Deno.test("the bench does not wait for ever for a process that says nothing", async () => {
  const child = new Child("cat", []);
  try {
    await assert.rejects(child.line(0.1), /Cannot go on: process \d+ \(cat\) has said nothing for 0\.1 s/);
  } finally {
    await child.stop();
  }
});
