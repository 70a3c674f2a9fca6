import assert from "node:assert/strict";
import type { Location } from "../../lib/cluster/locator.ts";
import { ClusterNetwork, FakeNode, idle, query, srsHost } from "../fakes/cluster_network.ts";

/** Starts a locate and tells what came of it so far. */
function begin(
  node: FakeNode,
  stream: string,
  signal?: AbortSignal,
): { result: Location | Error | undefined } {
  const outcome: { result: Location | Error | undefined } = { result: undefined };
  node.cluster.locate(query(stream), signal).then(
    (location) => outcome.result = location,
    (error) => outcome.result = error,
  );
  return outcome;
}

const AT_2 = {
  kind: "at",
  coworker: "10.0.0.2:1985",
  ip: "10.0.0.2",
  port: 1935,
  answeredAt: "10.0.0.2",
  vhost: "__defaultVhost__",
  isHeadwater: true,
  isDraining: false,
  nodeId: "node-2",
} as const;

Deno.test("a stream that is published here is mine, and nobody is asked", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  a.own("one");
  assert.deepEqual(await a.cluster.locate(query("one")), { kind: "mine" });
  assert.deepEqual(network.takeRequests(), []);
});

Deno.test("what the loop knows is checked with the owner alone", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985", "10.0.0.3:1985"]);
  const b = new FakeNode(network, 2, []);
  new FakeNode(network, 3, []);
  b.own("one");
  a.cluster.start();
  await network.advance(100);
  network.takeRequests();
  assert.deepEqual(await a.cluster.locate(query("one")), AT_2);
  assert.deepEqual(network.takeRequests(), [
    "POST http://10.0.0.2:1985/api/v1/clusters?vhost=__defaultVhost__&ip=play.example&app=live&stream=one" +
    "&coworker=10.0.0.2:1985",
  ]);
  a.cluster.stop();
});

Deno.test("when the owner that the loop knows denies, the others are asked", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.3:1985", "10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  const c = new FakeNode(network, 3, []);
  c.own("one");
  a.cluster.start();
  await network.advance(100);
  c.cluster.disown("/live/one", "connection-1");
  b.own("one");
  assert.deepEqual(await a.cluster.locate(query("one")), AT_2);
  a.cluster.stop();
});

Deno.test("when the owner that the loop knows is silent, the others are asked a tenth of the time later", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.3:1985", "10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  const c = new FakeNode(network, 3, []);
  c.own("one");
  a.cluster.start();
  await network.advance(100);
  network.hosts.set(c.address, "blackHole");
  b.own("one");
  const outcome = begin(a, "one");
  await network.advance(95);
  assert.equal(outcome.result, undefined);
  await network.advance(10);
  assert.deepEqual(outcome.result, AT_2);
  a.cluster.stop();
});

Deno.test("the first that owns it wins, whatever the others do", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.3:1985", "blackHole");
  network.hosts.set("10.0.0.4:1985", () => new Response("<html>"));
  network.hosts.set("10.0.0.5:1985", "refuse");
  const a = new FakeNode(network, 1, [3, 4, 5, 2].map((index) => `10.0.0.${index}:1985`));
  new FakeNode(network, 2, []).own("one");
  // The loop knows nothing yet.
  assert.deepEqual({ ...await a.cluster.locate(query("one")), nodeId: "node-2", isHeadwater: true }, AT_2);
  assert.equal(network.clock.now(), 0);
});

Deno.test("a black hole costs one query_timeout_ms, and nothing when it is known", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.3:1985", "blackHole");
  const a = new FakeNode(network, 1, ["10.0.0.2:1985", "10.0.0.3:1985"]);
  new FakeNode(network, 2, []);
  const first = begin(a, "none");
  await network.advance(990);
  assert.equal(first.result, undefined);
  await network.advance(20);
  assert.deepEqual(first.result, { kind: "nowhere" });
  const second = begin(a, "other");
  await idle();
  assert.deepEqual(second.result, { kind: "nowhere" });
  a.cluster.stop();
});

Deno.test("ten thousand plays of a stream that nobody has are one question, and another a little later", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  const plays = Array.from({ length: 10_000 }, () => a.cluster.locate(query("none")));
  assert.ok((await Promise.all(plays)).every(({ kind }) => kind === "nowhere"));
  assert.deepEqual(await a.cluster.locate(query("none")), { kind: "nowhere" });
  assert.equal(network.takeRequests().length, 1);
  b.own("none");
  assert.deepEqual(await a.cluster.locate(query("none")), { kind: "nowhere" });
  await network.advance(250);
  assert.equal((await a.cluster.locate(query("none"))).kind, "at");
  assert.equal(network.takeRequests(/POST/).length, 1);
});

Deno.test("when the loop hears of a stream, it is no longer nowhere", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost: { pollIntervalMs: 100 } });
  const b = new FakeNode(network, 2, []);
  a.cluster.start();
  await network.advance(130);
  assert.equal((await a.cluster.locate(query("one"))).kind, "nowhere");
  b.own("one");
  await network.advance(120);
  assert.equal((await a.cluster.locate(query("one"))).kind, "at");
  a.cluster.stop();
});

Deno.test("a play that waits for a node that hangs is answered as soon as the stream is published, here or at a coworker", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985", "10.0.0.3:1985"], { vhost: { pollIntervalMs: 300 } });
  const b = new FakeNode(network, 2, []);
  const c = new FakeNode(network, 3, []);
  a.cluster.start();
  await network.advance(100);
  network.hosts.set(c.address, "blackHole");
  const first = begin(a, "here");
  const second = begin(a, "there");
  await network.advance(50);
  a.own("here");
  await idle();
  assert.deepEqual(first.result, { kind: "mine" });
  b.own("there");
  await network.advance(200);
  assert.deepEqual(second.result, AT_2, "the loop has heard of it");
  a.cluster.stop();
});

Deno.test("a player that leaves ends its own wait only", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.2:1985", "blackHole");
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const leaving = new AbortController();
  const left = begin(a, "one", leaving.signal);
  const stays = begin(a, "one");
  await network.advance(100);
  leaving.abort(new Error("the player left"));
  await idle();
  assert.equal((left.result as Error).message, "the player left");
  assert.equal(stays.result, undefined);
  await network.advance(1000);
  assert.deepEqual(stays.result, { kind: "nowhere" });
  a.cluster.stop();
});

Deno.test("an SRS coworker is asked, and its answer taken", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.9:1985", srsHost(new Set(["one"])));
  const a = new FakeNode(network, 1, ["10.0.0.9:1985"]);
  a.cluster.start();
  await network.advance(100);
  assert.deepEqual(await a.cluster.locate(query("one")), {
    kind: "at",
    coworker: "10.0.0.9:1985",
    ip: "10.0.0.9",
    port: 19_350,
    answeredAt: "10.0.0.9",
    vhost: "__defaultVhost__",
    isHeadwater: false,
    isDraining: false,
  });
  assert.deepEqual(await a.cluster.locate(query("two")), { kind: "nowhere" });
  a.cluster.stop();
});

Deno.test("a vhost that is in no cluster asks nobody", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost: { isOriginCluster: false } });
  a.cluster.start();
  await network.advance(2000);
  assert.deepEqual(await a.cluster.locate(query("one")), { kind: "nowhere" });
  assert.deepEqual(network.takeRequests(), []);
});

Deno.test("a play at the very start waits for the look-up of names", async () => {
  const network = new ClusterNetwork();
  const lookup = Promise.withResolvers<string[]>();
  network.resolveHost = () => lookup.promise;
  const a = new FakeNode(network, 1, ["b.example:1985"]);
  const b = new FakeNode(network, 2, []);
  network.hosts.set("b.example:1985", (request) => b.app.fetch(request));
  b.own("one");
  a.cluster.start();
  const outcome = begin(a, "one");
  await network.advance(100);
  assert.equal(outcome.result, undefined);
  lookup.resolve(["10.0.0.2"]);
  await network.advance(0);
  // A name that stands for one address is what the coworker is asked by, and what it calls itself then. The loop has not heard of it yet.
  const { nodeId: _, ...location } = AT_2;
  assert.deepEqual(outcome.result, {
    ...location,
    coworker: "b.example:1985",
    ip: "b.example",
    answeredAt: "b.example",
    isHeadwater: false,
    isDraining: false,
  });
  a.cluster.stop();
});
