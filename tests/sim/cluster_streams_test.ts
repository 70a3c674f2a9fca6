import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { ClusterStreamsPage } from "../../lib/cluster/cluster_streams.ts";
import type { NodeStream } from "../../lib/cluster/node_streams.ts";
import { ClusterNetwork, FakeNode, type FakeNodeOptions } from "../fakes/cluster_network.ts";

const PATH = "/api/v1/clusters/streams";
const H264 = { codec: "H264", width: 1280, height: 720 };

const PUBLISHER = {
  "client_id": "encoder1",
  ip: "192.0.2.7",
  program: "OBS 31.0.0",
  "since_ms": 1_700_000_000_000,
};

function nodeStream(stream: string, options: Partial<NodeStream> = {}): NodeStream {
  return {
    vhost: "__defaultVhost__",
    app: "live",
    stream,
    live: true,
    published: true,
    viewers: 0,
    recv_kbps: 0,
    send_kbps: 0,
    fps: 0,
    video: null,
    audio: null,
    stream_id: "",
    key_frame_interval_s: null,
    publisher: null,
    ...options,
  };
}

async function list(node: FakeNode, query = ""): Promise<ClusterStreamsPage> {
  const response = await node.app.request(`${PATH}${query}`);
  equal(response.status, 200);
  return (await response.json() as { data: ClusterStreamsPage }).data;
}

/** What SRS 6 answers to `/api/v1/streams`. */
const SRS_STREAMS = {
  code: 0,
  server: "vid-1",
  streams: [{
    id: "vid-2",
    name: "cam",
    vhost: "vid-3",
    app: "live",
    tcUrl: "rtmp://10.0.0.4/live",
    url: "/live/cam",
    live_ms: 1,
    clients: 3,
    frames: 100,
    send_bytes: 1,
    recv_bytes: 1,
    kbps: { recv_30s: 300, send_30s: 600 },
    publish: { active: true, cid: "x" },
    video: { codec: "H264", profile: "High", level: "3.1", width: 1280, height: 720 },
    audio: { codec: "AAC", sample_rate: 44100, channel: 2, profile: "LC" },
  }],
};

/** A knows B, an SRS, and a node that nobody has started. */
async function cluster(options: FakeNodeOptions = {}) {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, ["10.0.0.2:1985", "10.0.0.4:1985", "10.0.0.5:1985"], options);
  const b = new FakeNode(network, 2, [], options);
  network.hosts.set(
    "10.0.0.4:1985",
    (request) =>
      request.url.includes("/api/v1/streams")
        ? Response.json(SRS_STREAMS)
        : Response.json({ code: 404 }, { status: 404 }),
  );
  a.cluster.start();
  await network.advance(100);
  return { network, a, b };
}

Deno.test("any node lists the streams of all: who publishes them, who relays them, their viewers, and who did not answer", async () => {
  const { a, b } = await cluster();
  b.streams = [
    nodeStream("one", {
      viewers: 4,
      recv_kbps: 300,
      send_kbps: 1500,
      fps: 25,
      video: H264,
      audio: { codec: "AAC" },
      stream_id: "vid-one",
      key_frame_interval_s: 2,
      publisher: PUBLISHER,
    }),
  ];
  a.streams = [
    nodeStream("one", { published: false, viewers: 2, recv_kbps: 299, send_kbps: 600 }),
    nodeStream("wanted", { live: false, published: false, viewers: 1 }),
  ];
  const { total, streams, nodes } = await list(a);
  equal(total, 3);
  deepEqual(streams.find(({ stream }) => stream === "one"), {
    vhost: "__defaultVhost__",
    app: "live",
    stream: "one",
    url: "/live/one",
    owner: "10.0.0.2:1985",
    live: true,
    viewers: 6,
    send_kbps: 2100,
    recv_kbps: 300,
    fps: 25,
    video: H264,
    audio: { codec: "AAC" },
    key_frame_interval_s: 2,
    publisher: PUBLISHER,
    nodes: [
      {
        name: "10.0.0.2:1985",
        self: false,
        node_id: "node-2",
        role: "owner",
        viewers: 4,
        send_kbps: 1500,
        stream_id: "vid-one",
      },
      {
        name: "self",
        self: true,
        node_id: "node-1",
        role: "relay",
        viewers: 2,
        send_kbps: 600,
        stream_id: "",
      },
    ],
  });
  const cam = streams.find(({ stream }) => stream === "cam");
  deepEqual([cam?.owner, cam?.viewers, cam?.recv_kbps, cam?.video], ["10.0.0.4:1985", 2, 300, H264]);
  const wanted = streams.find(({ stream }) => stream === "wanted");
  deepEqual([wanted?.owner, wanted?.live, wanted?.nodes[0]?.role], [null, false, "waiting"]);
  deepEqual(nodes.map(({ name, streams, error }) => `${name} ${streams} ${error ?? ""}`.trim()), [
    "self 2",
    "10.0.0.2:1985 1",
    "10.0.0.4:1985 1",
    "10.0.0.5:1985 0 it is down",
  ]);
  a.cluster.stop();
});

Deno.test("the list is searched, sorted and paged; what can't be understood is refused in words", async () => {
  const network = new ClusterNetwork();
  const a = new FakeNode(network, 1, []);
  a.streams = Array.from(
    { length: 30 },
    (_, i) => nodeStream(`cam${String(i).padStart(2, "0")}`, { viewers: i % 7, recv_kbps: 100 + i }),
  );
  const names = (page: ClusterStreamsPage) => page.streams.map(({ stream }) => stream);
  const found = await list(a, "?search=CAM1&count=3&start=2");
  deepEqual([found.total, names(found)], [10, ["cam12", "cam13", "cam14"]]);
  deepEqual(names(await list(a, "?sort=-viewers&count=3")), ["cam06", "cam13", "cam20"]);
  deepEqual(names(await list(a, "?sort=recv_kbps&count=2")), ["cam00", "cam01"]);
  deepEqual(names(await list(a, "?start=28&count=9999")), ["cam28", "cam29"]);
  for (
    const [query, reason] of [
      ["?sort=colour", /Cannot sort by 'colour': use one of name, owner/],
      ["?start=-1", /start is '-1', must be a number/],
      ["?count=x", /count is 'x'/],
      [`?search=${"a".repeat(201)}`, /201 characters long, limit is 200/],
    ] as const
  ) {
    const response = await a.app.request(PATH + query);
    equal(response.status, 400);
    match((await response.json() as { message: string }).message, reason);
  }
});

Deno.test("however many look, each coworker is asked once a second, and one that hangs costs query_timeout_ms at most", async () => {
  const { network, a, b } = await cluster();
  network.takeRequests();
  await Promise.all(Array.from({ length: 50 }, () => list(a)));
  equal(network.takeRequests(/10\.0\.0\.2.*\/streams/).length, 1);
  network.hosts.set(b.address, "blackHole");
  await network.advance(1000);
  const asked = list(a);
  await network.advance(1000);
  const { nodes, streams } = await asked;
  match(
    nodes.find(({ name }) => name === "10.0.0.2:1985")?.error ?? "",
    /no answer within 1000 ms|it is down/,
  );
  ok(streams.some(({ stream }) => stream === "cam"), "the others are shown");
  a.cluster.stop();
});

Deno.test("an answer that is none is named, and costs nobody else", async () => {
  for (
    const [answer, reason] of [
      [{ code: 0, data: { streams: "many" } }, "its stream list is a string, expected an array"],
      [{ code: 0, data: { streams: [null] } }, "it lists a stream that is null, expected an object"],
      [{ code: 0, data: { streams: [{ vhost: "v", app: 1 }] } }, "it lists a stream without a usable app"],
      [{ code: 0, data: {} }, "its stream list is missing, expected an array"],
    ] as const
  ) {
    const { network, a, b } = await cluster();
    network.hosts.set(b.address, () => Response.json(answer));
    const { nodes, total } = await list(a);
    equal(nodes.find(({ name }) => name === b.address)?.error, reason);
    equal(total, 1);
    a.cluster.stop();
  }
});

Deno.test("with a secret nodes tell each other all, and people nothing before they log in", async () => {
  const options = { vhost: { secret: "a secret of sixteen bytes and more" } };
  const { network, a, b } = await cluster(options);
  b.streams = [nodeStream("hidden")];
  const refused = await a.app.request(PATH);
  equal(refused.status, 403);
  match((await refused.json() as { message: string }).message, /Set http_api\.auth and log in/);
  equal((await b.app.request("/api/v1/clusters/node/streams")).status, 401);
  network.takeRequests();
  const fromHere = { peer: { transport: "tcp", hostname: "127.0.0.1", port: 1 } };
  const response = await a.app.request(PATH, {}, fromHere);
  const { data } = await response.json() as { data: ClusterStreamsPage };
  ok(data.streams.some(({ stream }) => stream === "hidden"));
  equal((await a.app.request("/api/v1/clusters/nodes", {}, fromHere)).status, 200);
  const proxied = { headers: { "X-Forwarded-For": "1.2.3.4" } };
  equal((await a.app.request(PATH, proxied, fromHere)).status, 403);
  a.cluster.stop();
});
