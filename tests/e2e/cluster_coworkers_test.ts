// deno-lint-ignore-file camelcase -- names of the configuration
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { ClusterStreamsPage } from "../../lib/cluster/cluster_streams.ts";
import type { PlayableStreamsJson } from "../../lib/http/players/players_routes.ts";
import { until } from "../fakes/deadline.ts";
import { connectLocally } from "../fakes/local_client.ts";
import {
  apiOf,
  clusterToml,
  LocalNode,
  reloadCluster,
  startClusterProcesses,
  startLocalCluster,
} from "./cluster_nodes.ts";
import { Crowd, IS_SLOW, report } from "./crowd.ts";
import { startEncoder, watchFlv, watchMany, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

const PLAYERS = IS_SLOW ? 100 : 20;

programTest([], "coworkers are added and removed by SIGHUP, and nobody who plays notices", async (scope) => {
  const [a, b, c] = await startClusterProcesses(scope);
  await startEncoder(scope, a.port("rtmp"), "a");
  const crowd = new Crowd((await Promise.all([
    watchMany(PLAYERS / 2, () => watchRtmp(scope, a.port("rtmp"), "a")),
    watchMany(PLAYERS / 2, () => watchRtmp(scope, b.port("rtmp"), "a")),
  ])).flat());
  const lists = [[apiOf(a)], [], [apiOf(a), apiOf(c)], [apiOf(c)], [apiOf(a), apiOf(b), apiOf(c)]];
  for (const coworkers of lists) {
    await b.reload(clusterToml({ origin_cluster: true, coworkers }));
    await crowd.more(25);
  }
  crowd.assertUntroubled();
  crowd.assertNoPause(`${lists.length} reloads`);
  equal(b.lines.filter(({ message }) => message === "Play stopped" || message === "Pull ended").length, 0);
});

programTest(
  [],
  "coworkers that are dead, mute or talk rubbish delay a play by one query at most",
  async (scope) => {
    const [a, b] = await startLocalCluster(scope);
    await startEncoder(scope, a.rtmp.port, "a");
    const bad = [
      refusingPort(),
      silentPort(scope),
      rubbishPort(scope, "hello\r\n\r\n"),
      rubbishPort(scope, OK_RUBBISH),
    ];
    const coworkers = [...bad.map((port) => `127.0.0.1:${port}`), a.api];
    const query_timeout_ms = 500;
    b.reload({ origin_cluster: true, coworkers, query_timeout_ms });
    const first = await timeOf(() => play(scope, b, "a"));
    await b.misses(bad.length);
    const second = await timeOf(() => play(scope, b, "a"));
    const nobody = await timeOf(() => rejects(play(scope, b, "nobody"), /StreamNotFound/));
    report(`play ${first} ms while coworkers are unknown, ${second} ms when known, refusal ${nobody} ms`);
    if (IS_SLOW) deepEqual([first < 600, second < 200, nobody < 200], [true, true, true]);
  },
);

programTest(
  [],
  "nodes that share a secret find each other's streams, and count each other",
  async (scope) => {
    const [a, b, c] = await startLocalCluster(scope, { secret: "0123456789abcdef0123456789abcdef" });
    await startEncoder(scope, a.rtmp.port, "a");
    await (await watchRtmp(scope, b.rtmp.port, "a")).more(5);
    const nodes = async (node: LocalNode) => {
      const metrics = await (await fetch(`http://${node.api}/metrics`)).text();
      return metrics.split("\n").filter((line) => line.startsWith("headwater_cluster_nodes{"));
    };
    // Itself among them counts for nothing.
    const coworkers = [a.api, b.api, c.api];
    b.reload({ origin_cluster: true, coworkers, secret: "0123456789abcdef0123456789abcdef" });
    await b.meets(3);
    deepEqual(await nodes(b), [
      'headwater_cluster_nodes{state="up"} 2',
      'headwater_cluster_nodes{state="down"} 0',
    ]);
    await c.node.stop();
    const left = {
      origin_cluster: true,
      coworkers: [a.api, c.api],
      secret: "0123456789abcdef0123456789abcdef",
    };
    b.reload(left);
    await b.misses(1);
    deepEqual(await nodes(b), [
      'headwater_cluster_nodes{state="up"} 1',
      'headwater_cluster_nodes{state="down"} 1',
    ]);
  },
);

programTest([], "a play that waits for its stream asks for it more and more seldom", async (scope) => {
  const coworker = countingCoworker(scope);
  const coworkers = [coworker.address];
  const node = await LocalNode.start(scope, { origin_cluster: true, coworkers, wait_ms: 3000 });
  await node.meets(1);
  const before = coworker.requests;
  await rejects(play(scope, node, "nobody"), /StreamNotFound/);
  const asked = coworker.requests - before;
  ok(asked > 2 && asked <= 8, `asked ${asked} times`);
});

programTest([], "a node opens few connections to a coworker, and keeps fewer", async (scope) => {
  const coworker = countingCoworker(scope);
  const node = await LocalNode.start(scope, { origin_cluster: true, coworkers: [coworker.address] });
  await node.meets(1);
  const streams = Array.from({ length: 200 }, (_, index) => `s${index}`);
  await Promise.all(
    streams.map((stream) =>
      node.node.cluster.locate({ vhost: "__defaultVhost__", app: "live", stream, host: "127.0.0.1" })
    ),
  );
  // 16 questions, and some that are being closed.
  ok(coworker.most > 1 && coworker.most < 32, `${coworker.most} connections`);
  await until(() => coworker.open <= 2, "few connections");
});

programTest([], "a node that names itself, and a coworker under two names", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  const coworkers = [b.api, a.api, `localhost:${a.apiPort}`];
  b.reload({ origin_cluster: true, coworkers });
  await rejects(play(scope, b, "nobody"), /StreamNotFound/);
  await startEncoder(scope, a.rtmp.port, "a");
  const watch = await watchRtmp(scope, b.rtmp.port, "a");
  await watch.more(10);
  await startEncoder(scope, b.rtmp.port, "b");
  await (await watchRtmp(scope, b.rtmp.port, "b")).more(10);
});

programTest([], "nodes that share a secret trust each other only", async (scope) => {
  const [a, b, c] = await startLocalCluster(scope, { secret: "hush" });
  await startEncoder(scope, a.rtmp.port, "a");
  await (await watchRtmp(scope, b.rtmp.port, "a")).more(10);
  // As whoever comes through a proxy of that machine, who is not on it.
  const headers = { "X-Forwarded-For": "192.0.2.1" };
  const open = ["clusters?app=live&stream=a", "clusters/node", "clusters/node/streams"];
  for (const path of [...open, "clusters/nodes", "clusters/streams"]) {
    const response = await fetch(`http://${a.api}/api/v1/${path}`, { headers });
    await response.body?.cancel();
    equal(response.status, path === "clusters/streams" ? 403 : 401, path);
  }
  for (const path of open) {
    const response = await fetch(`http://${a.api}/api/v1/${path}`);
    await response.body?.cancel();
    equal(response.status, 401, `${path}, from that machine`);
  }
  const versions = await fetch(`http://${a.api}/api/v1/versions`);
  await versions.body?.cancel();
  equal(versions.status, 200);
  c.reload({ origin_cluster: true, secret: "another", coworkers: [a.api, b.api] });
  await rejects(play(scope, c, "a"), /StreamNotFound/);
  reloadCluster([a, b, c], { secret: "hush" });
  await c.meets(2);
  await (await watchRtmp(scope, c.rtmp.port, "a")).more(10);
});

const OK_RUBBISH = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"code":}';

/** A port that nobody listens on. */
function refusingPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A port where the kernel takes connections and nobody answers. */
function silentPort(scope: TestScope): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  scope.onClose(() => listener.close());
  return (listener.addr as Deno.NetAddr).port;
}

/** A port where every request is answered with the same bytes. */
function rubbishPort(scope: TestScope, answer: string): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer)).catch(() => {});
      connection.close();
    }
  })();
  scope.onClose(async () => {
    listener.close();
    await serving.catch(() => {});
  });
  return (listener.addr as Deno.NetAddr).port;
}

async function play(scope: TestScope, node: LocalNode, stream: string): Promise<void> {
  const client = await connectLocally(node.rtmp.port, "live");
  scope.onClose(() => client.close());
  await client.play(stream);
}

async function timeOf(action: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await action();
  return Math.round(performance.now() - begunMs);
}

/** A coworker in SRS's manner that owns nothing, and counts its connections. */
function countingCoworker(
  scope: TestScope,
): { address: string; open: number; most: number; requests: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  scope.onClose(() => listener.close());
  const counts = {
    address: `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    open: 0,
    most: 0,
    requests: 0,
  };
  const serve = async (connection: Deno.Conn) => {
    counts.most = Math.max(counts.most, ++counts.open);
    const buffer = new Uint8Array(16 * 1024);
    try {
      while (await connection.read(buffer) !== null) {
        counts.requests++;
        // So that others are asked meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 2));
        await connection.write(
          new TextEncoder().encode("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        );
      }
    } catch {
      // Closed.
    }
    counts.open--;
    connection.close();
  };
  const accept = async () => {
    for await (const connection of listener) serve(connection).catch(() => {});
  };
  accept().catch(() => {});
  return counts;
}

programTest(
  [],
  "any node lists the streams of its cluster, and its players' page those that it can relay",
  async (scope) => {
    const [a, b, c] = await startLocalCluster(scope, { secret: "a secret that all share" });
    await startEncoder(scope, a.rtmp.port, "a");
    await (await watchRtmp(scope, b.rtmp.port, "a")).more(10);
    const response = await fetch(`http://${c.api}/api/v1/clusters/streams?search=live/a`);
    const { data } = await response.json() as { data: ClusterStreamsPage };
    const [stream] = data.streams;
    deepEqual(data.nodes.map(({ error }) => error), [undefined, undefined, undefined]);
    equal(data.total, 1);
    equal(stream?.owner, a.api);
    equal(stream?.viewers, 1, "the relay is no viewer");
    deepEqual(stream?.nodes.map(({ name, role, viewers }) => [name, role, viewers]), [[a.api, "owner", 0], [
      b.api,
      "relay",
      1,
    ]]);
    const players = await fetch(`http://127.0.0.1:${c.httpPort}/api/v1/streams`);
    const { streams } = await players.json() as PlayableStreamsJson;
    equal(streams.length, 1);
    equal(streams[0]?.node, a.api);
    await (await watchFlv(scope, c.httpPort, streams[0]?.flv?.slice(1) ?? "")).more(10);
  },
);
