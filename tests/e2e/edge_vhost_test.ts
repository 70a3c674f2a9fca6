/**
 * What an edge does with the vhosts that its players name: two vhosts are never one stream.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

const HOSTS = ["a.example", "b.example"];

/** An origin that knows two vhosts by name, and every other host as the default one. */
function startOrigin(scope: TestScope): Promise<LocalNode> {
  return LocalNode.start(scope, {}, { vhosts: Object.fromEntries(HOSTS.map((host) => [host, {}])) });
}

programTest([], "players who name two vhosts get two streams of one name from an edge", async (scope) => {
  const origin = await startOrigin(scope);
  const edge = await startLocalEdge(scope, [origin]);
  await startEncoder(scope, origin.rtmp.port, "s?vhost=a.example");
  // Whoever comes first, and by whichever way the vhost is named.
  const waiting = await dialledAs(scope, edge, "b.example", "s");
  const first = await dialledAs(scope, edge, "a.example", "s");
  await first.nextMedia();
  await (await watchFlv(scope, edge.httpPort, "live/s.flv?vhost=a.example")).more(5);
  await (await watchRtmp(scope, edge.rtmp.port, "s?domain=a.example")).more(5);
  equal(edge.node.runtime.hub.get("b.example/live/s")?.feed, undefined);
  const { streams } = await (await fetch(`http://127.0.0.1:${edge.httpPort}/api/v1/streams`)).json();
  const paths = streams.map(({ flv }: { flv: string }) => flv).sort();
  deepEqual(paths, ["/live/s.flv?vhost=a.example", "/live/s.flv?vhost=b.example"]);
  equal(origin.node.runtime.hub.get("a.example/live/s")?.playerCount, 1);
  await startEncoder(scope, origin.rtmp.port, "s?vhost=b.example");
  await waiting.nextMedia();
  equal(edge.node.runtime.hub.get("/live/s"), undefined);
  equal(origin.node.runtime.hub.get("/live/s"), undefined);
});

programTest([], "encoders who name two vhosts publish one name twice through an edge", async (scope) => {
  const origin = await startOrigin(scope);
  const edge = await startLocalEdge(scope, [origin]);
  for (const host of HOSTS) await startEncoder(scope, edge.rtmp.port, `s?vhost=${host}`);
  await startEncoder(scope, edge.rtmp.port, "s");
  for (const key of [...HOSTS.map((host) => `${host}/live/s`), "/live/s"]) {
    equal(origin.node.runtime.hub.get(key)?.feed?.kind, "publish", key);
  }
  await (await watchRtmp(scope, edge.rtmp.port, "s?vhost=b.example")).more(5);
  equal(edge.node.runtime.hub.get("a.example/live/s")?.playerCount, 1, "only its own push");
});

programTest([], "an address names no vhost: an edge pulls once for all of them", async (scope) => {
  const origin = await startOrigin(scope);
  const edge = await startLocalEdge(scope, [origin]);
  await startEncoder(scope, origin.rtmp.port, "s");
  for (const host of ["127.0.0.1", "10.0.0.9", "[::1]", "localhost"]) {
    await (await dialledAs(scope, edge, host, "s")).nextMedia();
  }
  equal(edge.node.runtime.hub.size, 1);
  equal(origin.node.runtime.hub.get("/live/s")?.playerCount, 1);
});

programTest(
  [],
  "where an edge's origin knows one vhost by a name of its own, all players share it",
  async (scope) => {
    const origin = await startOrigin(scope);
    const edge = await startLocalEdge(scope, [origin], { vhost: "a.example" });
    await startEncoder(scope, origin.rtmp.port, "s?vhost=a.example");
    for (const host of ["one.example", "two.example"]) {
      await (await dialledAs(scope, edge, host, "s")).nextMedia();
    }
    await until(() => origin.node.runtime.hub.get("a.example/live/s")?.playerCount === 1, "one pull");
    ok(edge.node.runtime.hub.get("/live/s")?.feed !== undefined);
  },
);

programTest([], "an edge behind an edge hands the vhost on", async (scope) => {
  const origin = await startOrigin(scope);
  const middle = await startLocalEdge(scope, [origin]);
  const leaf = await startLocalEdge(scope, [middle]);
  for (const host of HOSTS) await startEncoder(scope, leaf.rtmp.port, `s?vhost=${host}`);
  for (const host of HOSTS) {
    equal(origin.node.runtime.hub.get(`${host}/live/s`)?.feed?.kind, "publish");
    await (await watchRtmp(scope, leaf.rtmp.port, `s?vhost=${host}`)).more(5);
  }
});

/** Plays as a client that dialled the node by another name. */
async function dialledAs(
  scope: TestScope,
  node: LocalNode,
  host: string,
  stream: string,
): Promise<RtmpTestClient> {
  const client = await RtmpTestClient.dial(node.rtmp);
  scope.onClose(() => client.close());
  await client.handshake();
  await client.sendConnect(`rtmp://${host}/live`, "live");
  await client.answer();
  const id = await client.createStream();
  await client.sendCommand("play", id, null, stream, -2000);
  return client;
}
