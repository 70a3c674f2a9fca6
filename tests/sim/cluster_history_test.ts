import { deepEqual, equal } from "node:assert/strict";
import { addClusterHistoryRoutes, ClusterHistories } from "../../lib/http/api/history_routes.ts";
import { ClusterNetwork, FakeNode, type FakeNodeOptions } from "../fakes/cluster_network.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import { apiApp } from "../fakes/fake_api.ts";

const URL = encodeURIComponent("/live/livestream");
const AWAY = { peer: { hostname: "198.51.100.7", port: 40_000 } };

/** Two nodes: the stream is published at the second. */
async function twoNodes(options: FakeNodeOptions = {}) {
  const network = new ClusterNetwork();
  const [a, b] = [1, 2].map((index) => {
    const node = new FakeNode(network, index, [`10.0.0.${3 - index}:1985`], options);
    const view = new FakeServerView();
    view.serverId = `node-${index}`;
    if (index === 1) view.streamList = [];
    const histories = new ClusterHistories(view, node.report, node.wallNow);
    addClusterHistoryRoutes(node.app, { view, cluster: node.report, hasAuth: false, histories });
    network.hosts.set(node.address, (request) => node.app.fetch(request, AWAY));
    node.cluster.start();
    return node;
  }) as [FakeNode, FakeNode];
  await network.advance(100);
  return { network, a, b };
}

function stop(...nodes: FakeNode[]): void {
  for (const node of nodes) node.cluster.stop();
}

Deno.test("the last minutes of a stream of this node are told in numbers a second", async () => {
  const { data } = await (await apiApp().request("/api/v1/streams/vid-stream1/history")).json();
  deepEqual(data, {
    node: "vid-0a1b2c3",
    url: "/live/livestream",
    "interval_ms": 1000,
    "end_ms": 1_767_323_105_000,
    kbps: [null, 812.5, 790],
    fps: [null, 25, 25],
    "key_frames": [null, 1, 0],
  });
  equal((await (await apiApp().request("/api/v1/streams/none/history")).json()).code, 2048);
});

Deno.test("any node tells the last minutes of a stream that is published elsewhere", async () => {
  const { network, a, b } = await twoNodes();
  for (const node of [a, b]) {
    const response = await node.app.request(`/api/v1/clusters/history?url=${URL}`);
    equal((await response.json()).data.node, "node-2");
  }
  equal((await a.app.request("/api/v1/clusters/history?url=%2Flive%2Fnone")).status, 404);
  equal((await a.app.request("/api/v1/clusters/history")).status, 400);
  equal((await a.app.request(`/api/v1/clusters/history?url=${"x".repeat(5000)}`)).status, 400);
  network.hosts.set(
    "10.0.0.2:1985",
    () => Response.json({ code: 0, data: { url: "/live/livestream", kbps: {} } }),
  );
  await network.advance(1000);
  equal((await a.app.request(`/api/v1/clusters/history?url=${URL}`)).status, 404);
  stop(a, b);
});

Deno.test("with a secret, histories are told to nodes that sign and to nobody else", async () => {
  const { a, b } = await twoNodes({ vhost: { secret: "a secret of the cluster, long enough" } });
  const here = { peer: { hostname: "127.0.0.1", port: 40_000 } };
  const response = await a.app.request(`/api/v1/clusters/history?url=${URL}`, {}, here);
  equal((await response.json()).data.node, "node-2");
  equal((await a.app.request(`/api/v1/clusters/history?url=${URL}`, {}, AWAY)).status, 403);
  equal((await b.app.request(`/api/v1/clusters/node/history?url=${URL}`, {}, AWAY)).status, 401);
  stop(a, b);
});

Deno.test("the last warnings are told to those who may change things", async () => {
  const here = { peer: { hostname: "127.0.0.1", port: 40_000 } };
  const { data } = await (await apiApp().request("/api/v1/logs", {}, here)).json();
  deepEqual(data, {
    lines: [{
      "at_ms": 1_767_323_048_000,
      level: "warning",
      category: "headwater.cluster",
      message: "Coworker is down",
      properties: { coworker: "10.0.0.2:1985", reason: "connection refused" },
    }],
    dropped: 0,
  });
  equal((await apiApp().request("/api/v1/logs", {}, AWAY)).status, 403);
});
