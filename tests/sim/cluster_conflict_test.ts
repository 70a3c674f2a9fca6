import assert from "node:assert/strict";
import { claimHolds } from "../../lib/cluster/conflict.ts";
import { ClusterNetwork, FakeNode, query, srsHost } from "../fakes/cluster_network.ts";

function pair(
  network: ClusterNetwork,
  onConflict: "reject" | "takeover",
  skewMs = 0,
): { a: FakeNode; b: FakeNode; stop: () => void } {
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost: { onConflict } });
  const b = new FakeNode(network, 2, ["10.0.0.1:1985"], { vhost: { onConflict }, skewMs });
  a.cluster.start();
  b.cluster.start();
  return {
    a,
    b,
    stop: () => {
      a.cluster.stop();
      b.cluster.stop();
    },
  };
}

for (const onConflict of ["reject", "takeover"] as const) {
  Deno.test(`${onConflict}: of two publishes at the same instant one is left, a hundred times`, async () => {
    const network = new ClusterNetwork();
    const { a, b, stop } = pair(network, onConflict);
    await network.advance(100);
    for (let i = 0; i < 100; i++) {
      const stream = `stream-${i}`;
      // Both have asked before either has published.
      const claims = await Promise.all([a, b].map((node) => node.cluster.checkPublish(query(stream))));
      const [mine, theirs] = claims.map(({ publishedAtMs }) => publishedAtMs + (i % 3 === 0 ? 0 : i % 7));
      a.own(stream, mine);
      b.own(stream, theirs === undefined ? undefined : theirs + (i % 5) - 2);
      await network.advance(37);
    }
    await network.advance(2000);
    for (let i = 0; i < 100; i++) {
      assert.equal(Number(a.owns(`stream-${i}`)) + Number(b.owns(`stream-${i}`)), 1, `stream-${i}`);
    }
    const code = onConflict === "reject" ? "stream-busy" : "taken-over";
    assert.equal(a.lost.length + b.lost.length, 100);
    assert.ok([...a.lost, ...b.lost].every(({ reason }) => reason.code === code));
    assert.ok(a.lost.length > 0 && b.lost.length > 0);
    stop();
  });
}

Deno.test("reject: a stream that a coworker owns is refused", async () => {
  const network = new ClusterNetwork();
  const { a, b, stop } = pair(network, "reject");
  await a.publish("one");
  await assert.rejects(b.publish("one"), {
    code: "stream-busy",
    message: "Cannot publish '/live/one': it is published at 10.0.0.1:1985",
  });
  a.cluster.disown("/live/one", "connection-1");
  await b.publish("one");
  await network.advance(3000);
  assert.ok(b.owns("one"));
  stop();
});

Deno.test("reject: an encoder that moves on is not held to what the loop knew before", async () => {
  const network = new ClusterNetwork();
  const { a, b, stop } = pair(network, "reject");
  await a.publish("one");
  await network.advance(1500);
  a.cluster.disown("/live/one", "connection-1");
  await b.publish("one");
  await network.advance(3000);
  assert.ok(b.owns("one"));
  assert.deepEqual(b.lost, []);
  stop();
});

for (const skewMs of [0, 60_000, -60_000]) {
  Deno.test(`takeover: the later publisher wins when its clock is ${skewMs} ms ahead`, async () => {
    const network = new ClusterNetwork();
    const { a, b, stop } = pair(network, "takeover", skewMs);
    await a.publish("one");
    await network.advance(1500);
    await b.publish("one");
    await network.advance(2000);
    assert.ok(b.owns("one") && !a.owns("one"));
    assert.deepEqual(a.lost.map(({ stream, reason }) => [stream.key, reason.code, reason.message]), [
      [
        "/live/one",
        "taken-over",
        "Cannot continue publishing '/live/one': it is now published at 10.0.0.2:1985",
      ],
    ]);
    stop();
  });
}

Deno.test("reject: two that were apart settle when they meet again", async () => {
  const network = new ClusterNetwork();
  const { a, b, stop } = pair(network, "reject");
  await network.advance(100);
  const hosts = [...network.hosts];
  for (const [address] of hosts) network.hosts.set(address, "blackHole");
  await network.advance(3000);
  await a.publish("one");
  await network.advance(10_000);
  await b.publish("one");
  await network.advance(10_000);
  assert.ok(a.owns("one") && b.owns("one"));
  for (const [address, host] of hosts) network.hosts.set(address, host);
  await network.advance(6000);
  assert.ok(a.owns("one") && !b.owns("one"));
  stop();
});

Deno.test("a coworker that is dead does not hold up a publish when it is known, and no longer than the timeout before", async () => {
  const network = new ClusterNetwork();
  const { a, b, stop } = pair(network, "reject");
  await a.publish("one");
  await network.advance(1500);
  network.hosts.set(a.address, "blackHole");
  let isPublished = false;
  const publishing = b.publish("one").then(() => isPublished = true);
  await network.advance(900);
  assert.equal(isPublished, false);
  await network.advance(200);
  await publishing;
  await b.publish("two");
  assert.ok(b.owns("one") && b.owns("two"));
  stop();
});

Deno.test("an SRS owner: refused under reject, and both have it under takeover", async () => {
  for (const onConflict of ["reject", "takeover"] as const) {
    const network = new ClusterNetwork();
    network.hosts.set("10.0.0.9:1985", srsHost(new Set(["one"])));
    const a = new FakeNode(network, 1, ["10.0.0.9:1985"], { vhost: { onConflict } });
    a.cluster.start();
    await network.advance(100);
    if (onConflict === "reject") await assert.rejects(a.publish("one"), { code: "stream-busy" });
    else await a.publish("one");
    assert.equal(a.owns("one"), onConflict === "takeover");
    a.cluster.stop();
  }
});

Deno.test("of two claims exactly one holds, seen from either side", () => {
  const claims = [1, 2].flatMap((publishedAtMs) =>
    ["x", "y"].flatMap((nodeId) => ["1", "2"].map((bootId) => ({ publishedAtMs, nodeId, bootId })))
  );
  for (const policy of ["reject", "takeover"] as const) {
    for (const one of claims) {
      for (const other of claims) {
        if (one === other) continue;
        assert.notEqual(claimHolds(policy, one, other), claimHolds(policy, other, one));
      }
    }
  }
});
