// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import { deepEqual, equal, match } from "node:assert/strict";
import { ClusterClients } from "../../lib/http/api/cluster_clients_list.ts";
import { addClusterClientsRoutes } from "../../lib/http/api/cluster_clients_routes.ts";
import { guardChanges } from "../../lib/http/middleware/changes.ts";
import type { ClientSummary } from "../../lib/http/server_view.ts";
import { ClusterNetwork, FakeNode, type FakeNodeOptions, type Host, idle } from "../fakes/cluster_network.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

const PATH = "/api/v1/clusters/clients";
const SECRET = "a secret of the cluster, long enough";
const HERE = { peer: { hostname: "127.0.0.1", port: 40_000 } };
const AWAY = { peer: { hostname: "198.51.100.7", port: 40_000 } };

const [PUBLISHER, PLAYER] = new FakeServerView().clientList as [ClientSummary, ClientSummary];

/** A node with clients, whose routes see other nodes come from another machine. */
class ClientsNode {
  readonly node: FakeNode;
  readonly view = new FakeServerView();

  constructor(
    network: ClusterNetwork,
    index: number,
    coworkers: readonly string[],
    options: FakeNodeOptions,
  ) {
    this.node = new FakeNode(network, index, coworkers, options);
    this.view.serverId = `node-${index}`;
    addClusterClientsRoutes(this.node.app, {
      view: this.view,
      cluster: this.node.report,
      hasAuth: false,
      guard: guardChanges(false),
      lists: new ClusterClients(this.view, this.node.report, this.node.wallNow),
    });
    network.hosts.set(this.node.address, (request) => this.node.app.fetch(request, AWAY));
    this.node.cluster.start();
  }

  async list(query = "", env: object = HERE) {
    const response = await this.node.app.request(`${PATH}${query}`, {}, env);
    equal(response.status, 200);
    return (await response.json()).data;
  }

  async kick(path: string, env: object = HERE): Promise<[number, string]> {
    const response = await this.node.app.request(`${PATH}/${path}`, { method: "DELETE" }, env);
    const { data, message } = await response.json();
    return [response.status, data?.node ?? message];
  }
}

/** Two nodes, the first with a publisher and a player, the second with three players that lag. */
async function twoNodes(options: FakeNodeOptions = {}) {
  const network = new ClusterNetwork();
  const a = new ClientsNode(network, 1, ["10.0.0.2:1985"], options);
  const b = new ClientsNode(network, 2, ["10.0.0.1:1985"], options);
  a.view.clientList = [PUBLISHER, PLAYER];
  b.view.clientList = [1, 2, 3].map((index) => ({ ...PLAYER, id: `relayed${index}`, jumps: index * 2 }));
  await network.advance(100);
  const stop = () => {
    a.node.cluster.stop();
    b.node.cluster.stop();
  };
  return { network, a, b, stop };
}

const ids = ({ clients }: { clients: { id: string }[] }) => clients.map(({ id }) => id);

Deno.test("clients of all nodes are one sorted list, of which nodes send no more than the page needs", async () => {
  const { network, a, stop } = await twoNodes();
  network.takeRequests();
  const data = await a.list("?sort=-jumps&count=2&type=play");
  equal(data.total, 4);
  deepEqual(data.clients[0], {
    id: "relayed3",
    ip: "2001:db8::9",
    url: "/live/livestream",
    vhost: "__defaultVhost__",
    type: "rtmp-play",
    publish: false,
    connected_at_ms: PLAYER.connectedAtMs,
    send_bytes: 6_000_000,
    recv_bytes: 3400,
    send_kbps: 1601,
    recv_kbps: 0,
    jumps: 6,
    page_url: "https://example.com/watch",
    node: "10.0.0.2:1985",
    node_id: "node-2",
  });
  deepEqual(ids(data), ["relayed3", "relayed2"]);
  deepEqual(data.nodes, [
    { name: "self", self: true, node_id: "node-1", clients: 1 },
    { name: "10.0.0.2:1985", self: false, node_id: "node-2", took_ms: 0, clients: 3 },
  ]);
  const [asked = "", ...more] = network.takeRequests(/node\/clients/);
  match(asked, /sort=-jumps&start=0&count=2&/);
  deepEqual(more, []);
  deepEqual(ids(await a.list("?sort=-jumps&start=2&count=2&type=play")), ["relayed1", "player02"]);
  stop();
});

Deno.test("clients are searched, and what can't be understood is refused in words", async () => {
  const { a, stop } = await twoNodes();
  deepEqual(ids(await a.list("?search=192.0.2")), ["encoder1"]);
  deepEqual(ids(await a.list("?type=publish&url=%2Flive%2Flivestream")), ["encoder1"]);
  for (
    const bad of ["sort=shoe", "count=0", "count=501", "start=-1", "type=both", `search=${"x".repeat(201)}`]
  ) {
    const response = await a.node.app.request(`${PATH}?${bad}`, {}, HERE);
    equal(response.status, 400, bad);
    match((await response.json()).message, /^Cannot (sort|list|search)/);
  }
  stop();
});

for (
  const [what, host, error] of [
    ["hangs", "blackHole", "no answer within 1000 ms"],
    ["talks rubbish", () => new Response("<html>"), "its response is not a JSON object"],
    [
      "talks of something else",
      () => Response.json({ code: 0, data: { total: 1, clients: [{ id: 1 }] } }),
      "its list of clients can't be read",
    ],
    [
      "is older",
      () => Response.json({ code: 404 }, { status: 404 }),
      "it is an earlier version, which does not tell",
    ],
    [
      "talks for ever",
      () => new Response("x".repeat(9 * 1024 * 1024)),
      "its response is longer than 8388608 bytes",
    ],
  ] as const satisfies readonly (readonly [string, Host, string])[]
) {
  Deno.test(`clients are listed though a node ${what}, which is named`, async () => {
    const { network, a, stop } = await twoNodes();
    network.hosts.set("10.0.0.2:1985", host);
    const listed = a.list();
    await network.advance(1000);
    const data = await listed;
    deepEqual(ids(data), ["encoder1", "player02"]);
    equal(data.nodes[1].error, error);
    stop();
  });
}

Deno.test("pages that ask the same at the same time ask the cluster once; too many others wait", async () => {
  const { network, a, stop } = await twoNodes();
  network.takeRequests();
  await Promise.all(Array.from({ length: 20 }, () => a.list("?count=3")));
  equal(network.takeRequests(/node\/clients/).length, 1);
  network.hosts.set("10.0.0.2:1985", "blackHole");
  await network.advance(1000);
  const waiting = Array.from(
    { length: 32 },
    (_, index) => a.node.app.request(`${PATH}?search=${index}`, {}, HERE),
  );
  await idle();
  const refused = await a.node.app.request(`${PATH}?search=more`, {}, HERE);
  deepEqual([refused.status, refused.headers.get("Retry-After")], [503, "1"]);
  await network.advance(1000);
  deepEqual(new Set((await Promise.all(waiting)).map(({ status }) => status)), new Set([200]));
  stop();
});

Deno.test("an SRS coworker's clients are listed as its API tells them, and disconnected there", async () => {
  const network = new ClusterNetwork();
  const kicked: string[] = [];
  network.hosts.set("10.0.0.9:1985", ({ url, method }) => {
    const { pathname } = new URL(url);
    if (method === "DELETE") {
      kicked.push(pathname);
      return Response.json({ code: pathname.endsWith("0y8q7x0") ? 0 : 2049 });
    }
    return pathname === "/api/v1/clients"
      ? Response.json({ code: 0, clients: [SRS_CLIENT, { id: 1 }, null] })
      : Response.json({ code: 0, urls: {} });
  });
  const a = new ClientsNode(network, 1, ["10.0.0.9:1985"], {});
  await network.advance(100);
  const data = await a.list("?search=192.0.2.1");
  deepEqual(
    data.clients.map(({ id, url, ip, node_id: node }: Record<string, unknown>) => [id, url, ip, node]),
    [
      ["0y8q7x0", "/live/srs", "192.0.2.1", "10.0.0.9:1985"],
    ],
  );
  deepEqual(await a.kick("0y8q7x0?node=10.0.0.9:1985"), [200, "10.0.0.9:1985"]);
  deepEqual(await a.kick("another?node=10.0.0.9:1985"), [
    404,
    "Cannot find the client: no client of 10.0.0.9:1985 has this id",
  ]);
  deepEqual(kicked, ["/api/v1/clients/0y8q7x0", "/api/v1/clients/another"]);
  a.node.cluster.stop();
});

const SRS_CLIENT = {
  id: "0y8q7x0",
  vhost: "vid-0x",
  stream: "vid-e4p8x1r",
  ip: "192.0.2.1",
  pageUrl: "",
  url: "/live/srs",
  type: "fmle-publish",
  publish: true,
  alive: 12.5,
  send_bytes: 1,
  recv_bytes: 2,
  kbps: { recv_30s: 1200, send_30s: 0 },
};

Deno.test("a client is disconnected through any node of a cluster with a secret", async () => {
  const { a, b, stop } = await twoNodes({ vhost: { secret: SECRET } });
  deepEqual(await a.kick("relayed1?node=node-2"), [200, "node-2"]);
  deepEqual(await a.kick("player02"), [200, "node-1"]);
  deepEqual(await a.kick("relayed2"), [200, "node-2"]);
  deepEqual([a.view.kicked, b.view.kicked], [["player02"], ["relayed1", "relayed2"]]);
  deepEqual(await a.kick("nobody"), [404, "Cannot find the client: no client of the cluster has this id"]);
  equal((await a.kick("relayed3?node=node-7"))[0], 404);
  equal((await a.kick("a%2Fb"))[0], 400);
  equal((await a.kick("relayed3", AWAY))[0], 403);
  for (const path of [PATH, `${PATH}?search=`, "/api/v1/clusters/node/clients"]) {
    const response = await a.node.app.request(path, {}, AWAY);
    equal(response.status, path.includes("node/") ? 401 : 403, path);
  }
  const forged = { "X-Headwater-Signature": `b=boot-2,t=1,n=${"0".repeat(32)},s=${"0".repeat(64)}` };
  for (const headers of [forged, {}]) {
    const path = "/api/v1/clusters/node/clients/relayed3";
    equal((await b.node.app.request(path, { method: "DELETE", headers }, AWAY)).status, 401);
  }
  equal(b.view.kicked.length, 2);
  stop();
});

Deno.test("without a secret a node on another machine disconnects nobody, and says what to set", async () => {
  const { a, b, stop } = await twoNodes();
  deepEqual(await a.kick("relayed1"), [
    502,
    "Cannot disconnect the client at 10.0.0.2:1985: HTTP 403: without the same cluster.secret at both nodes it takes no changes from here",
  ]);
  deepEqual(b.view.kicked, []);
  stop();
});
