// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import assert from "node:assert/strict";
import {
  ClusterNetwork,
  FakeNode,
  query,
  srsHost,
  START_MS,
  vhostSettings,
} from "../fakes/cluster_network.ts";

const NODE = /\/clusters\/node/;

interface Known {
  readonly kind: string;
  readonly up: boolean | undefined;
  readonly streams: readonly string[];
}

/** What a node knows of its coworkers, by name. */
function known(node: FakeNode): Map<string, Known> {
  const entries = new Map<string, Known>();
  for (const entry of node.cluster.listCoworkers()) {
    if ("error" in entry) entries.set(entry.name, { kind: "unresolved", up: false, streams: [] });
    else {
      const { name, kind, isUp, streams } = entry.coworker;
      entries.set(name, { kind, up: isUp, streams: [...streams.keys()] });
    }
  }
  return entries;
}

function setCoworkers(node: FakeNode, coworkers: string[], secret = ""): void {
  node.cluster.reload({
    ...node.cluster.settings,
    vhosts: new Map([["__defaultVhost__", vhostSettings(coworkers, { secret })]]),
  });
}

Deno.test("the loop learns all streams at first, then only what changed", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  b.own("one");
  b.own("two");
  a.cluster.start();
  await network.advance(500);
  assert.deepEqual(known(a).get(b.address), {
    kind: "headwater",
    up: true,
    streams: ["/live/one", "/live/two"],
  });
  assert.deepEqual(network.takeRequests(), [`GET http://${b.address}/api/v1/clusters/node`]);

  b.own("three");
  b.cluster.disown("/live/one", "connection-1");
  const answers: unknown[] = [];
  const app = b.app;
  network.hosts.set(b.address, async (request) => {
    const response = await app.fetch(request);
    answers.push(response.status === 304 ? 304 : (await response.clone().json()).data);
    return response;
  });
  await network.advance(2000);
  assert.deepEqual(known(a).get(b.address)?.streams, ["/live/two", "/live/three"]);
  const [delta, unchanged] = answers as [Record<string, unknown>, unknown];
  assert.equal(delta.full, false);
  assert.deepEqual(delta.added, [
    { vhost: "__defaultVhost__", app: "live", stream: "three", published_at_ms: START_MS + 500 },
  ]);
  assert.deepEqual(delta.removed, [{ vhost: "__defaultVhost__", app: "live", stream: "one" }]);
  assert.equal(unchanged, 304);
  assert.deepEqual(network.takeRequests(), [
    `GET http://${b.address}/api/v1/clusters/node?since=2&boot=boot-2`,
    `GET http://${b.address}/api/v1/clusters/node?since=4&boot=boot-2`,
  ]);
  a.cluster.stop();
  assert.equal(network.clock.pending, 0);
});

Deno.test("a coworker that starts anew is read anew", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  for (const name of ["one", "two", "three"]) b.own(name);
  a.cluster.start();
  await network.advance(100);
  const again = new FakeNode(network, 3, []);
  again.own("four");
  network.hosts.set(b.address, (request) => again.app.fetch(request));
  await network.advance(1200);
  assert.deepEqual(known(a).get(b.address)?.streams, ["/live/four"]);
  a.cluster.stop();
});

Deno.test("a coworker that dies is asked again with growing pauses, and found again soon", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const b = new FakeNode(network, 2, []);
  a.cluster.start();
  await network.advance(100);
  const host = network.hosts.get(b.address);
  network.hosts.set(b.address, "refuse");
  await network.advance(1100);
  assert.equal(known(a).get(b.address)?.up, false);
  network.takeRequests();
  await network.advance(30_000);
  const asked = network.takeRequests(NODE).length;
  assert.ok(asked >= 8 && asked <= 16, `asked ${asked} times in 30 s`);
  assert.ok(host !== undefined);
  network.hosts.set(b.address, host);
  await network.advance(3500);
  assert.equal(known(a).get(b.address)?.up, true);
  a.cluster.stop();
});

Deno.test("a black hole holds one request at a time, and is down after the timeout", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.2:1985", "blackHole");
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost: { pollIntervalMs: 100 } });
  a.cluster.start();
  await network.advance(900);
  assert.equal(network.takeRequests().length, 1);
  assert.equal(known(a).get("10.0.0.2:1985")?.up, undefined);
  await network.advance(200);
  assert.equal(known(a).get("10.0.0.2:1985")?.up, false);
  const [entry] = a.cluster.listCoworkers();
  assert.ok(entry !== undefined && "coworker" in entry);
  assert.equal(entry.coworker.lastError, "no answer within 1000 ms");
  assert.equal(entry.coworker.downSinceMs, START_MS + 1025);
  a.cluster.stop();
});

for (
  const [what, answer] of [
    ["rubbish", () => new Response("<html>welcome</html>")],
    ["JSON that is no object", () => Response.json("hello")],
    [
      "a node without a revision",
      () => Response.json({ code: 0, data: { node_id: "x", boot_id: "y", version: "1" } }),
    ],
    ["500", () => new Response("", { status: 500 })],
    ["401", () => Response.json({ code: 401 }, { status: 401 })],
    ["an endless body", () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) }),
      )],
  ] as const
) {
  Deno.test(`a coworker that answers ${what} is down`, async () => {
    const network = new ClusterNetwork();
    network.hosts.set("10.0.0.2:1985", answer);
    const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
    a.cluster.start();
    for (let i = 0; i < 20 && known(a).get("10.0.0.2:1985")?.up === undefined; i++) await network.advance(5);
    assert.equal(known(a).get("10.0.0.2:1985")?.up, false);
    a.cluster.stop();
  });
}

for (
  const [what, host] of [
    ["SRS's index", srsHost(new Set())],
    ["404", () => new Response("", { status: 404 })],
  ] as const
) {
  Deno.test(`a coworker that answers ${what} is SRS, and is not polled`, async () => {
    const network = new ClusterNetwork();
    network.hosts.set("10.0.0.2:1985", host);
    const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
    a.cluster.start();
    await network.advance(9000);
    assert.deepEqual(known(a).get("10.0.0.2:1985"), { kind: "srs", up: true, streams: [] });
    assert.equal(network.takeRequests().length, 1);
    a.cluster.stop();
  });
}

Deno.test("a node among its own coworkers is not asked", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.1:1985", "10.0.0.2:1985"]);
  new FakeNode(network, 2, []);
  a.cluster.start();
  await network.advance(100);
  assert.equal(known(a).get(a.address)?.kind, "self");
  network.takeRequests();
  assert.deepEqual(await a.cluster.locate(query("none")), { kind: "nowhere" });
  assert.deepEqual(network.takeRequests().map((request) => request.split("?")[0]), [
    "POST http://10.0.0.2:1985/api/v1/clusters",
  ]);
  a.cluster.stop();
});

Deno.test("a node that is named twice is asked once", async () => {
  const network = new ClusterNetwork();
  const b = new FakeNode(network, 2, []);
  network.hosts.set("[fd00::2]:1985", (request) => b.app.fetch(request));
  network.names.set("b.example", ["10.0.0.2"]);
  network.hosts.set("b.example:1985", (request) => b.app.fetch(request));
  // By name and address, which are one address; and by another address, which is one node.
  const a = new FakeNode(network, 1, ["b.example:1985", "10.0.0.2:1985", "[fd00::2]:1985"]);
  a.cluster.start();
  await network.advance(100);
  network.takeRequests();
  await a.cluster.locate(query("none"));
  assert.equal(network.takeRequests(/POST/).length, 1);
  a.cluster.stop();
});

Deno.test("every address of a name counts, and the name is looked up again", async () => {
  const network = new ClusterNetwork();
  network.names.set("origins", ["10.0.0.1", "10.0.0.2"]);
  const a = new FakeNode(network, 1, ["origins:1985"]);
  for (const index of [2, 3]) new FakeNode(network, index, []).own(`at-${index}`);
  a.cluster.start();
  await network.advance(100);
  assert.deepEqual([...known(a).keys()], ["10.0.0.1:1985", "10.0.0.2:1985"]);
  network.names.set("origins", ["10.0.0.3", "10.0.0.1"]);
  await network.advance(5100);
  assert.deepEqual([...known(a).keys()], ["10.0.0.3:1985", "10.0.0.1:1985"]);
  // A name server that is away changes nothing.
  network.names.delete("origins");
  await network.advance(6000);
  assert.deepEqual([...known(a).keys()], ["10.0.0.3:1985", "10.0.0.1:1985"]);
  assert.deepEqual(known(a).get("10.0.0.3:1985")?.streams, ["/live/at-3"]);
  a.cluster.stop();
  assert.equal(network.clock.pending, 0);
});

Deno.test("a name that is unknown is told, and asked for again", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["b.example:1985"]);
  a.cluster.start();
  await network.advance(100);
  assert.deepEqual([...a.cluster.listCoworkers()], [{
    name: "b.example:1985",
    error: "cannot look up 'b.example': ENOTFOUND b.example",
  }]);
  const b = new FakeNode(network, 2, []);
  network.hosts.set("b.example:1985", (request) => b.app.fetch(request));
  network.names.set("b.example", ["10.0.0.2"]);
  await network.advance(5100);
  assert.equal(known(a).get("b.example:1985")?.up, true);
  a.cluster.stop();
});

Deno.test("a reload keeps what is known of coworkers that stay", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985", "10.0.0.3:1985"]);
  const b = new FakeNode(network, 2, []);
  new FakeNode(network, 3, []);
  new FakeNode(network, 4, []);
  b.own("one");
  a.cluster.start();
  await network.advance(100);
  setCoworkers(a, ["10.0.0.2:1985", "10.0.0.4:1985"]);
  assert.deepEqual(known(a).get(b.address)?.streams, ["/live/one"]);
  network.takeRequests();
  await network.advance(3000);
  assert.deepEqual([...known(a).keys()], ["10.0.0.2:1985", "10.0.0.4:1985"]);
  assert.deepEqual(network.takeRequests(/10\.0\.0\.3/), []);
  assert.throws(() => setCoworkers(a, ["http://x"]), /Cannot read server: value is 'http:\/\/x'/);
  a.cluster.stop();
});

Deno.test("nodes that share a secret know each other, others are refused", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost: { secret: "sesame" } });
  const b = new FakeNode(network, 2, ["10.0.0.1:1985"], { vhost: { secret: "sesame" } });
  b.own("one");
  a.cluster.start();
  b.cluster.start();
  await network.advance(1500);
  assert.deepEqual(known(a).get(b.address)?.streams, ["/live/one"]);
  assert.equal((await a.cluster.locate(query("one"))).kind, "at");
  for (const path of ["", "/node", "/nodes"]) {
    const url = `http://${b.address}/api/v1/clusters${path}`;
    assert.equal((await b.app.request(url)).status, 401);
  }
  setCoworkers(b, ["10.0.0.1:1985"], "other");
  await network.advance(1500);
  assert.equal(known(a).get(b.address)?.up, false);
  a.cluster.stop();
  b.cluster.stop();
});

Deno.test("a node is told whom to sign for once, and again when its coworker has been started anew", async () => {
  const network = new ClusterNetwork();
  const vhost = { secret: "sesame" };
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"], { vhost });
  const statuses: number[] = [];
  const listen = (node: FakeNode) =>
    network.hosts.set("10.0.0.2:1985", async (request) => {
      const response = await node.app.fetch(request);
      statuses.push(response.status);
      return response;
    });
  const b = new FakeNode(network, 2, [], { vhost });
  b.own("one");
  listen(b);
  a.cluster.start();
  await network.advance(2100);
  assert.equal((await a.cluster.locate(query("one"))).kind, "at");
  assert.deepEqual(statuses.splice(0), [401, 200, 304, 304, 200]);
  const again = new FakeNode(network, 3, [], { vhost });
  again.own("two");
  listen(again);
  assert.equal((await a.cluster.locate(query("two"))).kind, "at");
  assert.deepEqual(statuses, [401, 200]);
  // One that asks to sign anew again and again is not asked for ever.
  statuses.length = 0;
  let boots = 0;
  network.hosts.set("10.0.0.2:1985", () => {
    statuses.push(401);
    const headers = { "WWW-Authenticate": `Headwater boot_id="boot-${++boots}-x"` };
    return Response.json({ code: 401 }, { status: 401, headers });
  });
  await network.advance(1000);
  assert.equal(statuses.length, 2);
  a.cluster.stop();
});

Deno.test("a coworker is asked for few streams at once, and not blamed for those that wait their turn", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  new FakeNode(network, 2, []);
  const host = network.hosts.get("10.0.0.2:1985");
  a.cluster.start();
  await network.advance(100);
  assert.ok(typeof host === "function");
  network.takeRequests();
  const waiting = Promise.withResolvers<void>();
  network.hosts.set("10.0.0.2:1985", async (request) => {
    if (request.method === "POST") await waiting.promise;
    return await host(request);
  });
  const located = Array.from({ length: 100 }, (_, index) => a.cluster.locate(query(`s${index}`)));
  await network.advance(500);
  assert.equal(network.takeRequests(/POST/).length, 16);
  waiting.resolve();
  await network.advance(100);
  assert.equal(network.takeRequests(/POST/).length, 84);
  assert.deepEqual(new Set((await Promise.all(located)).map(({ kind }) => kind)), new Set(["nowhere"]));
  assert.equal(known(a).get("10.0.0.2:1985")?.up, true);
  a.cluster.stop();
});

for (
  const [what, data] of [
    ["a name that is a large table", { version: Array(100_000).fill("x") }],
    ["a count that is a large text", { revision: "9".repeat(1_000_000) }],
    ["a table in a table in a table", {
      boot_id: JSON.parse("[".repeat(100_000) + "]".repeat(100_000)),
    }],
  ] as const
) {
  Deno.test(`a coworker that answers ${what} is down, and its error is short`, async () => {
    const network = new ClusterNetwork();
    const answer = {
      node_id: "x",
      boot_id: "y",
      version: "1",
      rtmp: { port: 1 },
      load: { clients: 0, streams: 0 },
    };
    network.hosts.set("10.0.0.2:1985", () => Response.json({ code: 0, data: { ...answer, ...data } }));
    const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
    a.cluster.start();
    for (let i = 0; i < 20 && known(a).get("10.0.0.2:1985")?.up === undefined; i++) await network.advance(5);
    const [entry] = a.cluster.listCoworkers();
    assert.ok(entry !== undefined && "coworker" in entry && entry.coworker.isUp === false);
    assert.ok((entry.coworker.lastError?.length ?? 0) < 200, entry.coworker.lastError);
    a.cluster.stop();
  });
}

Deno.test("what a coworker owns is bounded over all its answers, and then told anew", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  let revision = 0;
  const asked: boolean[] = [];
  network.hosts.set("10.0.0.2:1985", (request) => {
    const isFull = new URL(request.url).searchParams.get("since") === null;
    asked.push(isFull);
    const streams = Array.from({ length: 5000 }, (_, index) => ({
      vhost: "v",
      app: "a".repeat(1000),
      stream: `${revision}-${index}`,
      published_at_ms: 1,
    }));
    return Response.json({
      code: 0,
      data: {
        node_id: "x",
        boot_id: "y",
        version: "1",
        rtmp: { port: 1 },
        load: { clients: 0, streams: 0 },
        revision: ++revision,
        full: isFull,
        ...(isFull ? { streams } : { added: streams, removed: [] }),
      },
    });
  });
  a.cluster.start();
  let most = 0;
  for (let turn = 0; turn < 8; turn++) {
    await network.advance(1100);
    most = Math.max(most, known(a).get("10.0.0.2:1985")?.streams.length ?? 0);
  }
  assert.ok(most >= 10_000 && most < 20_000, `${most} streams`);
  assert.ok(asked.filter((isFull) => isFull).length >= 2);
  a.cluster.stop();
});

Deno.test("a coworker whose answer comes drop by drop is down after the timeout", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.2:1985", (request) => {
    let timer: ReturnType<typeof network.clock.setTimer>;
    return new Response(
      new ReadableStream({
        start(controller) {
          const drip = () => {
            controller.enqueue(new Uint8Array([0x20]));
            timer = network.clock.setTimer(drip, 100);
          };
          drip();
          request.signal.addEventListener("abort", () => {
            network.clock.clearTimer(timer);
            controller.error(request.signal.reason);
          });
        },
      }),
    );
  });
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  a.cluster.start();
  await network.advance(900);
  assert.equal(known(a).get("10.0.0.2:1985")?.up, undefined);
  await network.advance(200);
  assert.equal(known(a).get("10.0.0.2:1985")?.up, false);
  a.cluster.stop();
  await network.advance(0);
});

Deno.test("a stop ends the requests that are under way", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.2:1985", "blackHole");
  const a = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  a.cluster.start();
  const located = a.cluster.locate(query("one"));
  await network.advance(100);
  assert.equal(network.takeRequests().length, 2);
  a.cluster.stop();
  assert.deepEqual(await located, { kind: "nowhere" });
  await network.advance(0);
  assert.equal(network.clock.pending, 0);
});
