// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import assert from "node:assert/strict";
import { signRequest } from "../../lib/cluster/request_signature.ts";
import {
  ClusterNetwork,
  FakeNode,
  type FakeNodeOptions,
  START_MS,
  vhostSettings,
} from "../fakes/cluster_network.ts";

/** SRS's sample server A, whose publisher feeds live/livestream. */
function serverA(options: FakeNodeOptions = {}): FakeNode {
  const node = new FakeNode(new ClusterNetwork(), 1, ["127.0.0.1:9091"], {
    ...options,
    settings: { rtmp: { port: 19_350 }, apiListen: "9090", ...options.settings },
  });
  node.own("livestream");
  return node;
}

const QUERY = "vhost=__defaultVhost__&ip=127.0.0.1&app=live&stream=livestream&coworker=127.0.0.1:9090";
const OWNED =
  '{"code":0,"data":{"query":{"ip":"127.0.0.1","vhost":"__defaultVhost__","app":"live","stream":"livestream"},' +
  '"origin":{"ip":"127.0.0.1","port":19350,"vhost":"__defaultVhost__","api":"127.0.0.1:9090","routers":["127.0.0.1:9090"]}}}';

// What SRS 5 answers, byte for byte.
for (
  const [name, path, text] of [
    ["owned", `?${QUERY}`, OWNED],
    [
      "not owned",
      `?${QUERY.replace("livestream", "other")}`,
      '{"code":0,"data":{"query":{"ip":"127.0.0.1","vhost":"__defaultVhost__","app":"live","stream":"other"},"origin":null}}',
    ],
    [
      "nothing asked",
      "",
      '{"code":0,"data":{"query":{"ip":"","vhost":"","app":"","stream":""},"origin":null}}',
    ],
  ] as const
) {
  Deno.test(`/api/v1/clusters, ${name}, is SRS's answer`, async () => {
    for (const method of ["GET", "POST"]) {
      const response = await serverA().app.request(`/api/v1/clusters${path}`, { method });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("Content-Type") ?? "", /^application\/json/);
      assert.equal(await response.text(), text);
    }
  });
}

for (
  const [name, query, stream] of [
    ["a vhost that nobody has is the default one", "vhost=10.0.0.1&app=live&stream=livestream", "livestream"],
    ["a .flv ending", "app=live&stream=livestream.flv", "livestream"],
    ["percent-encoded", "app=%6Cive&stream=live%73tream", "livestream"],
    ["raw characters", "app=live&stream=a+b%zz:/c", "a+b%zz:/c"],
    ["encoded characters", "app=live&stream=x%26y%3D1%2B2%23%25%C3%A9", "x&y=1+2#%é"],
  ] as const
) {
  Deno.test(`/api/v1/clusters finds a stream: ${name}`, async () => {
    const node = serverA();
    if (stream !== "livestream") node.own(stream);
    const response = await node.app.request(`/api/v1/clusters?${query}`);
    assert.equal((await response.json()).data.origin?.port, 19_350);
  });
}

for (
  const [name, options, coworker, origin] of [
    [
      "the listen address",
      { settings: { rtmp: { hostname: "10.1.1.1", port: 19_350 } } },
      "nat.example:9090",
      [
        "10.1.1.1",
        19_350,
        "10.1.1.1:9090",
      ],
    ],
    ["the name that the asker uses", {}, "nat.example:9090", ["nat.example", 19_350, "nat.example:9090"]],
    ["the asker's name without a port", {}, "nat.example", ["nat.example", 19_350, "nat.example:9090"]],
    [
      "that name, when it listens on loopback",
      { settings: { rtmp: { hostname: "127.0.0.1", port: 1 } } },
      "b:9",
      [
        "b",
        1,
        "b:9090",
      ],
    ],
    ["the machine's address", {}, "", ["10.0.0.1", 19_350, "10.0.0.1:9090"]],
    ["an IPv6 coworker", {}, "[fd00::1]:9090", ["fd00::1", 19_350, "[fd00::1]:9090"]],
    ["advertise", { vhost: { advertise: "cdn.example" } }, "b:9", [
      "cdn.example",
      19_350,
      "cdn.example:9090",
    ]],
    ["advertise with a port", { vhost: { advertise: "[fd00::9]:1" } }, "b:9", [
      "fd00::9",
      1,
      "[fd00::9]:9090",
    ]],
    ["an API on one address", { settings: { apiListen: "10.1.1.1:9090" } }, "b:9", [
      "b",
      19_350,
      "10.1.1.1:9090",
    ]],
  ] as const
) {
  Deno.test(`where an owner is: ${name}`, async () => {
    const node = serverA(options);
    const response = await node.app.request(
      `/api/v1/clusters?app=live&stream=livestream&coworker=${encodeURIComponent(coworker)}`,
    );
    const { ip, port, api } = (await response.json()).data.origin;
    assert.deepEqual([ip, port, api], origin);
  });
}

Deno.test("/api/v1/clusters knows no vhost without a default one", async () => {
  const vhosts = new Map([["v.example", vhostSettings([])]]);
  const node = serverA({ settings: { vhosts } });
  const response = await node.app.request(`/api/v1/clusters?${QUERY}`);
  assert.equal((await response.json()).data.origin, null);
});

const NODE_STATE = {
  node_id: "node-1",
  boot_id: "boot-1",
  version: "0.1.0",
  rtmp: { port: 19_350 },
  load: { clients: 3, streams: 1 },
  revision: 1,
};
const LIVESTREAM = {
  vhost: "__defaultVhost__",
  app: "live",
  stream: "livestream",
  published_at_ms: START_MS,
};

Deno.test("/api/v1/clusters/node tells all, what changed, or that nothing did", async () => {
  const node = serverA();
  const get = (query: string, headers = {}) => node.app.request(`/api/v1/clusters/node${query}`, { headers });
  const first = await get("");
  assert.equal(first.headers.get("ETag"), '"boot-1-1"');
  const all = { code: 0, data: { ...NODE_STATE, full: true, streams: [LIVESTREAM] } };
  assert.equal(await first.text(), JSON.stringify(all));

  const same = await get("?since=1&boot=boot-1", { "If-None-Match": '"boot-1-1"' });
  assert.equal(same.status, 304);
  assert.equal(await same.text(), "");
  assert.equal(same.headers.get("ETag"), '"boot-1-1"');

  node.cluster.disown("/live/livestream", "connection-1");
  node.own("other");
  const changes = await get("?since=1&boot=boot-1", { "If-None-Match": '"boot-1-1"' });
  assert.equal(changes.status, 200);
  assert.deepEqual((await changes.json()).data, {
    ...NODE_STATE,
    revision: 3,
    full: false,
    added: [{ ...LIVESTREAM, stream: "other" }],
    removed: [{ vhost: "__defaultVhost__", app: "live", stream: "livestream" }],
  });
  for (const query of ["?since=1&boot=boot-0", "?since=9&boot=boot-1", "?since=x&boot=boot-1", "?since=1"]) {
    assert.equal((await (await get(query)).json()).data.full, true, query);
  }
});

Deno.test("/api/v1/clusters/nodes tells the whole cluster", async () => {
  const network = new ClusterNetwork();
  network.hosts.set("10.0.0.3:1985", () => new Response("", { status: 404 }));
  const a = new FakeNode(network, 1, [1, 2, 3, 4].map((index) => `10.0.0.${index}:1985`));
  const b = new FakeNode(network, 2, []);
  a.own("one");
  b.own("two");
  a.cluster.start();
  await network.advance(100);
  const response = await a.app.request("/api/v1/clusters/nodes");
  const load = { clients: 3, streams: 1 };
  const vhosts = ["__defaultVhost__"];
  assert.deepEqual((await response.json()).data.nodes, [
    {
      self: true,
      kind: "headwater",
      up: true,
      node_id: "node-1",
      boot_id: "boot-1",
      version: "0.1.0",
      rtmp: { port: 1935 },
      load,
      streams: [{ ...LIVESTREAM, stream: "one" }],
    },
    {
      self: false,
      name: "10.0.0.2:1985",
      vhosts,
      kind: "headwater",
      up: true,
      up_since_ms: START_MS + 25,
      down_since_ms: null,
      last_error: null,
      round_trip_ms: 0,
      node_id: "node-2",
      boot_id: "boot-2",
      version: "0.1.0",
      rtmp: { host: "10.0.0.2", port: 1935 },
      load,
      streams: [{ ...LIVESTREAM, stream: "two" }],
    },
    {
      self: false,
      name: "10.0.0.3:1985",
      vhosts,
      kind: "srs",
      up: true,
      up_since_ms: START_MS + 25,
      down_since_ms: null,
      last_error: null,
      round_trip_ms: 0,
    },
    {
      self: false,
      name: "10.0.0.4:1985",
      vhosts,
      kind: "unknown",
      up: false,
      up_since_ms: null,
      down_since_ms: START_MS + 25,
      last_error: "connection refused",
      round_trip_ms: null,
    },
  ]);
  const etag = response.headers.get("ETag") ?? "";
  const headers = { "If-None-Match": etag };
  assert.equal((await a.app.request("/api/v1/clusters/nodes", { headers })).status, 304);
  b.own("three");
  await network.advance(1000);
  assert.equal((await a.app.request("/api/v1/clusters/nodes", { headers })).status, 200);
  const short = await (await a.app.request("/api/v1/clusters/nodes?streams=false")).json();
  assert.ok(short.data.nodes.every((node: Record<string, unknown>) => node.streams === undefined));
  a.cluster.stop();
});

Deno.test("with secrets, each caller is told of the vhosts that it may know", async () => {
  const network = new ClusterNetwork();
  const vhosts = new Map([
    ["__defaultVhost__", vhostSettings([], { isOriginCluster: false })],
    ["open.example", vhostSettings([])],
    ["a.example", vhostSettings([], { secret: "sesame" })],
    ["b.example", vhostSettings([], { secret: "simsim" })],
  ]);
  const node = new FakeNode(network, 1, [], { settings: { vhosts } });
  for (const vhost of vhosts.keys()) {
    node.cluster.own({ vhost, app: "live", stream: "s", publishedAtMs: START_MS, connectionId: vhost });
  }
  const get = (target: string, secret: string) => {
    const request = { bootId: "boot-1", method: "GET", target };
    const signature = signRequest(secret, request, network.wallNow(), network.nonce());
    const headers: HeadersInit = secret === "" ? {} : { "X-Headwater-Signature": signature };
    return node.app.request(target, { headers });
  };
  const visible = async (secret: string) => {
    const { data } = await (await get("/api/v1/clusters/node", secret)).json();
    return data.streams.map(({ vhost }: { vhost: string }) => vhost);
  };
  assert.deepEqual(await visible(""), ["open.example"]);
  assert.deepEqual(await visible("sesame"), ["open.example", "a.example"]);
  assert.deepEqual(await visible("wrong"), ["open.example"]);
  const status = async (vhost: string, secret: string) =>
    (await get(`/api/v1/clusters?vhost=${vhost}&app=live&stream=s`, secret)).status;
  assert.equal(await status("a.example", "sesame"), 200);
  assert.equal(await status("b.example", "sesame"), 401);
  assert.equal(await status("open.example", ""), 200);
  assert.equal(await status("a.example", ""), 401);
});

Deno.test("a signed request counts once, at the node that it is meant for, until that is started anew", async () => {
  const network = new ClusterNetwork();
  const [a, b] = [1, 2].map((index) => new FakeNode(network, index, [], { vhost: { secret: "sesame" } }));
  assert.ok(a !== undefined && b !== undefined);
  const target = "/api/v1/clusters/node";
  const ask = async (
    node: FakeNode,
    bootId: string,
    change: (header: string) => string = (header) => header,
  ) => {
    const request = { bootId, method: "GET", target };
    const signature = signRequest("sesame", request, network.wallNow(), network.nonce());
    const headers = { "X-Headwater-Signature": change(signature) };
    const once = await node.app.request(target, { headers });
    return { once, again: await node.app.request(target, { headers }) };
  };
  const { once, again } = await ask(a, "boot-1");
  assert.equal(once.status, 200);
  assert.equal(again.status, 401);
  const { code, message } = await again.json();
  assert.equal(code, 401);
  assert.match(message, /cluster\.secret/);
  const answers = [
    await ask(b, "boot-1"),
    // As if it were meant for the one that is asked.
    await ask(b, "boot-1", (header) => header.replace("b=boot-1", "b=boot-2")),
    await ask(a, "boot-0"),
    // As nodes signed before they named whom they ask.
    await ask(a, "boot-1", (header) => header.replace("b=boot-1,", "")),
    await ask(a, ""),
  ];
  assert.deepEqual(answers.map(({ once }) => once.status), [401, 401, 401, 401, 401]);
  assert.equal(answers[0]?.once.headers.get("WWW-Authenticate"), 'Headwater boot_id="boot-2"');
});
