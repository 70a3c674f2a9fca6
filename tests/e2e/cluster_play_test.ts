// deno-lint-ignore-file camelcase -- names of the configuration and of RTMP
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Amf0Object, type Amf0Value } from "../../lib/wire/amf0.ts";
import { CAPS_EX } from "../../lib/wire/commands.ts";
import { until } from "../fakes/deadline.ts";
import { type ReceivedStatus, RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { LocalNode, reloadCluster, startLocalCluster } from "./cluster_nodes.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

/** What SRS's edge says of itself in the second object of connect. */
const SRS_ARGUMENTS = {
  srs_sig: "SRS",
  srs_server: "SRS/5.0.213(Bee)",
  srs_version: "5.0.213",
  srs_pid: 1,
  srs_id: "x",
};

programTest([], "an SRS edge on the wrong node gets SRS's 302, and plays from the owner", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  await startEncoder(scope, a.rtmp.port, "a");
  const client = await asker(scope, b, { arguments: SRS_ARGUMENTS, stream: "a?token=x&vhost=v.example" });
  const [status] = await statuses(client);
  equal(status?.level, "error");
  equal(status?.code, "NetConnection.Connect.Rejected");
  equal(status?.description, "RTMP 302 Redirect");
  const ex = status?.object.get("ex");
  ok(ex instanceof Amf0Object);
  deepEqual(Object.fromEntries(ex.entries), {
    code: 302,
    redirect: `rtmp://127.0.0.1:${a.rtmp.port}/live`,
    redirect2: `rtmp://127.0.0.1:${a.rtmp.port}/live/a?token=x&vhost=v.example`,
  });
  client.close();
  await until(() => b.errors("redirected") === 1, "a redirected client in the books");
  const { clientErrorsTotal, clientsTotal } = b.node.view.totals();
  deepEqual({ clientErrorsTotal, clientsTotal }, { clientErrorsTotal: 0, clientsTotal: 1 });
  const follower = await asker(scope, a, { arguments: SRS_ARGUMENTS, stream: "a?token=x" });
  await follower.nextMedia();
});

programTest([], "a client that can reconnect is asked to, with the owner's tcUrl", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  await startEncoder(scope, a.rtmp.port, "a");
  const client = await asker(scope, b, { properties: { capsEx: CAPS_EX.reconnect }, stream: "a" });
  const [status] = await statuses(client);
  equal(status?.level, "status");
  equal(status?.code, "NetConnection.Connect.ReconnectRequest");
  equal(status?.object.getString("tcUrl"), `rtmp://127.0.0.1:${a.rtmp.port}/live`);
});

for (const redirect of ["302", "relay"] as const) {
  programTest([], `with redirect = "${redirect}" all players go the same way`, async (scope) => {
    const [a, b] = await startLocalCluster(scope, { redirect });
    await startEncoder(scope, a.rtmp.port, "a");
    for (
      const description of [{}, { arguments: SRS_ARGUMENTS }, { properties: { capsEx: CAPS_EX.reconnect } }]
    ) {
      const client = await asker(scope, b, { ...description, stream: "a" });
      const codes = (await statuses(client)).map(({ code }) => code);
      deepEqual(
        codes.at(-1),
        redirect === "302" ? "NetConnection.Connect.Rejected" : "NetStream.Play.Start",
      );
      if (redirect === "relay") await client.nextMedia();
    }
  });
}

programTest(
  [],
  "a stream that nobody has is refused at once and never started; a lone origin waits",
  async (scope) => {
    const nodes = await startLocalCluster(scope);
    for (const node of nodes) {
      const client = await asker(scope, node, { stream: "nobody" });
      deepEqual((await statuses(client)).map(({ code }) => code), ["NetStream.Play.StreamNotFound"]);
      await client.closed();
      await rejects(watchFlv(scope, node.httpPort, "live/nobody.flv"), /HTTP 404/);
    }
    const lone = await LocalNode.start(scope);
    const waiting = await watchRtmp(scope, lone.rtmp.port, "later");
    await startEncoder(scope, lone.rtmp.port, "later");
    await waiting.more(10);
  },
);

programTest([], "with wait_ms a play waits for its encoder, and for no longer than that", async (scope) => {
  const [a, b] = await startLocalCluster(scope, { wait_ms: 3000 });
  const waiting = watchRtmp(scope, b.rtmp.port, "a");
  await startEncoder(scope, a.rtmp.port, "a");
  await (await waiting).more(10);
  reloadCluster([a, b], { wait_ms: 300 });
  await rejects(watchRtmp(scope, b.rtmp.port, "nobody"), /StreamNotFound/);
});

programTest([], "HTTP-FLV plays from the owner and by relay", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  await startEncoder(scope, a.rtmp.port, "a");
  for (const node of [a, b]) await (await watchFlv(scope, node.httpPort, "live/a.flv")).more(10);
});

programTest([], "/api/v1/clusters answers as SRS does", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  await startEncoder(scope, a.rtmp.port, "a");
  const ask = async (node: LocalNode, method: string) => {
    const query = `vhost=__defaultVhost__&ip=127.0.0.1&app=live&stream=a&coworker=${node.api}`;
    const response = await fetch(`http://${node.api}/api/v1/clusters?${query}`, { method });
    equal(response.headers.get("Content-Type"), "application/json");
    return await response.text();
  };
  const asked = `"query":{"ip":"127.0.0.1","vhost":"__defaultVhost__","app":"live","stream":"a"}`;
  const origin =
    `{"ip":"127.0.0.1","port":${a.rtmp.port},"vhost":"__defaultVhost__","api":"${a.api}","routers":["${a.api}"]}`;
  for (const method of ["GET", "POST"]) {
    equal(await ask(a, method), `{"code":0,"data":{${asked},"origin":${origin}}}`);
    equal(await ask(b, method), `{"code":0,"data":{${asked},"origin":null}}`);
  }
});

programTest([], "a publish that comes back to a node it has passed is refused", async (scope) => {
  const [, b] = await startLocalCluster(scope);
  const nodeId = b.node.cluster.identity.nodeId;
  const route = { headwater_node: "n", headwater_route: `other,${nodeId}` };
  const publisher = await connect(scope, b, { arguments: route });
  await publisher.sendCommand("publish", await publisher.createStream(), null, "c", "live");
  match((await publisher.status()).description, /passed through this node/);
});

// 127.0.0.9 stands for what does not lead to the node from inside: a public name, another network.
programTest([], "an owner that is not where it says is reached where it answered", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  a.reload({ origin_cluster: true, coworkers: [b.api], advertise: "127.0.0.9" });
  await startEncoder(scope, a.rtmp.port, "a");
  await (await watchRtmp(scope, b.rtmp.port, "a")).more(50);
  equal(b.node.cluster.owned.size, 0);
});

for (
  const [what, route] of [
    ["of many nodes", Array.from({ length: 80 }, (_, index) => `node-${index}`).join(",")],
    ["that is very long", "r".repeat(30_000)],
    ["that names the owner", "owner"],
  ] as const
) {
  programTest([], `a client that says it came a route ${what} keeps nobody out`, async (scope) => {
    const [a, b] = await startLocalCluster(scope);
    const edge = await LocalNode.start(scope, { mode: "remote", origin: [a.origin] });
    await startEncoder(scope, a.rtmp.port, "a");
    const said = route === "owner" ? a.node.cluster.identity.nodeId : route;
    for (const node of [edge, b]) {
      const liar = await asker(scope, node, {
        // One that is told to go elsewhere would open no pull.
        arguments: node === edge ? { headwater_node: "x", headwater_route: said } : { headwater_route: said },
        stream: "a",
      });
      await (await watchRtmp(scope, node.rtmp.port, "a")).more(10);
      await liar.nextMedia();
    }
    equal(a.errors("relay-loop"), 0);
  });
}

interface Asker {
  readonly arguments?: Record<string, Amf0Value>;
  readonly properties?: Record<string, Amf0Value>;
}

/** A client that has asked to play. */
async function asker(
  scope: TestScope,
  node: LocalNode,
  { stream, ...description }: Asker & { stream: string },
): Promise<RtmpTestClient> {
  const client = await connect(scope, node, description);
  await client.sendCommand("play", await client.createStream(), null, stream, -2000);
  return client;
}

async function connect(scope: TestScope, node: LocalNode, description: Asker): Promise<RtmpTestClient> {
  const client = await RtmpTestClient.dial(node.rtmp);
  scope.onClose(() => client.close());
  await client.handshake();
  const tcUrl = `rtmp://127.0.0.1:${node.rtmp.port}/live`;
  const properties = Amf0Object.from({ app: "live", tcUrl, flashVer: "test", ...description.properties });
  const own = description.arguments;
  await client.sendCommand("connect", 0, properties, ...(own === undefined ? [] : [Amf0Object.from(own)]));
  equal((await client.answer(1)).name, "_result");
  return client;
}

/** What `onStatus` says, up to what decides about the play. */
async function statuses(client: RtmpTestClient): Promise<ReceivedStatus[]> {
  const all: ReceivedStatus[] = [];
  for (;;) {
    const status = await client.status();
    all.push(status);
    if (status.code !== "NetStream.Play.Reset") return all;
  }
}
