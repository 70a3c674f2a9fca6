// deno-lint-ignore-file camelcase -- names of the configuration
import { equal, match, ok, rejects } from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { until } from "../fakes/deadline.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { type OtherRouter, startTestServer, type TestServer } from "../fakes/test_server.ts";
import { LocalNode, startLocalCluster, startLocalEdge } from "./cluster_nodes.ts";
import { assertSameFrames } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import { TestScope } from "./test_scope.ts";

programTest(
  ["ffmpeg"],
  "ffmpeg records the same frames from an edge as from the origins, whichever is published to",
  async (scope) => {
    const [a, b] = await startLocalCluster(scope);
    const edge = await startLocalEdge(scope, [a, b]);
    const file = await mediaFile("av.flv");
    for (const entry of [a, edge]) {
      const publisher = scope.start("ffmpeg", ...publishArguments(file, `rtmp://${entry.origin}/live/a`));
      await until(() => entry.node.runtime.hub.get("/live/a")?.feed?.kind === "publish", "the publisher");
      await until(() => ownersOf([a, b], "a") === 1, "an owner");
      // Who has just asked believes for a moment that nobody has it.
      for (const node of [a, b]) await untilFound(node, "a");
      const urls = [a, b, edge].map(({ origin }) => `rtmp://${origin}/live/a`);
      urls.push(...[b, edge].map(({ httpPort }) => `http://127.0.0.1:${httpPort}/live/a.flv`));
      await Promise.all(urls.map(async (url, index) => {
        const path = scope.path(`${entry.rtmp.port}-${index}.flv`);
        await scope.start("ffmpeg", "-v", "error", "-i", url, "-t", "4", "-c", "copy", path).succeed();
        await assertSameFrames(scope, path, file, 60);
      }));
      await publisher.kill();
      await until(() => ownersOf([a, b], "a") === 0, "the publisher's end");
      // Those who pulled it may show its last frames a moment longer.
      const isFed = ({ node }: LocalNode) => node.runtime.hub.get("/live/a")?.feed !== undefined;
      await until(() => ![a, b, edge].some(isFed), "its end everywhere");
    }
  },
);

async function untilFound({ node }: LocalNode, stream: string): Promise<void> {
  const query = { vhost: "__defaultVhost__", app: "live", stream, host: "127.0.0.1" };
  while ((await node.cluster.locate(query)).kind === "nowhere") {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

programTest([], "an edge pulls a stream once, and for a little longer than it is played", async (scope) => {
  const origin = await LocalNode.start(scope);
  const edge = await startLocalEdge(scope, [origin], { linger_ms: 200 });
  await startEncoder(scope, origin.rtmp.port, "a");
  const playing = new TestScope();
  for (let i = 0; i < 3; i++) {
    await (await watchRtmp(playing, edge.rtmp.port, "a")).more(5);
    await (await watchFlv(playing, edge.httpPort, "live/a.flv")).more(5);
  }
  equal(origin.node.rtmp.clients.size, 2);
  await playing.close();
  await until(() => origin.node.rtmp.clients.size === 1, "the end of the pull");
  equal(edge.node.runtime.hub.size, 0);
});

programTest([], "what an edge pulls counts as received, and what it pushes as sent", async (scope) => {
  const origin = await LocalNode.start(scope);
  const edge = await startLocalEdge(scope, [origin]);
  const { view } = edge.node;
  const vhost = () => [...view.vhosts()].find(({ name }) => name === "__defaultVhost__");
  await startEncoder(scope, origin.rtmp.port, "down");
  await (await watchRtmp(scope, edge.rtmp.port, "down")).more(50);
  const pulled = edge.node.runtime.hub.get("/live/down")?.receivedBytes ?? NaN;
  ok(view.totals().receiveBytes > pulled && (vhost()?.receiveBytes ?? 0) > pulled);
  const sentBytes = view.totals().sendBytes;
  const encoder = await startEncoder(scope, edge.rtmp.port, "up");
  await (await watchRtmp(scope, origin.rtmp.port, "up")).more(50);
  await encoder.close();
  await until(() => origin.node.runtime.hub.get("/live/up")?.feed === undefined, "the end of the push");
  const pushed = origin.node.runtime.hub.get("/live/up")?.receivedBytes ?? NaN;
  await until(() => view.totals().sendBytes - sentBytes > pushed, "the push in the books");
});

programTest([], "a player whom the origin refuses keeps nobody else from an edge's stream", async (scope) => {
  const origin = testServer(scope, (lone) => ({
    admitPlay: (request) =>
      request.address.parameters.includes("token=good")
        ? lone.admitPlay(request)
        : Promise.reject(new RtmpError("unauthorized", "Cannot play: the token is bad")),
  }));
  const edge = await startLocalEdge(scope, [{ origin: `127.0.0.1:${origin.address.port}` }]);
  await startEncoder(scope, origin.address.port, "a");
  for (let i = 0; i < 3; i++) await watchRtmp(scope, edge.rtmp.port, `a?token=bad${i}`);
  await until(() => origin.errors("unauthorized") >= 2, "refusals");
  await (await watchRtmp(scope, edge.rtmp.port, "a?token=good")).more(10);
  equal(origin.runtime.hub.get("/live/a")?.playerCount, 1);
});

programTest([], "an origin's refusal reaches the encoder at the edge", async (scope) => {
  const [a, b] = await startLocalCluster(scope);
  const edge = await startLocalEdge(scope, [a, b]);
  await startEncoder(scope, a.rtmp.port, "a");
  await rejects(startEncoder(scope, edge.rtmp.port, "a"), /NetStream.Publish.BadName/);
  await startEncoder(scope, edge.rtmp.port, "b");
  await rejects(startEncoder(scope, b.rtmp.port, "b"), /NetStream.Publish.BadName/);
  const deaf = await startLocalEdge(scope, [{ origin: refusingAddress() }]);
  await rejects(startEncoder(scope, deaf.rtmp.port, "a"), /Cannot connect to 127.0.0.1/);
});

programTest(
  [],
  "a player waits at an edge for its stream, for as long as stream_wait_ms says",
  async (scope) => {
    const origin = await LocalNode.start(scope);
    const patient = await startLocalEdge(scope, [origin]);
    const hasty = await startLocalEdge(scope, [origin], { stream_wait_ms: 300 });
    const waiting = await watchRtmp(scope, patient.rtmp.port, "a");
    const refused = await watchRtmp(scope, hasty.rtmp.port, "a");
    await until(() => refused.isEnded, "the end of the wait");
    await startEncoder(scope, origin.rtmp.port, "a");
    await waiting.more(10);
    await (await watchRtmp(scope, hasty.rtmp.port, "a")).more(10);
  },
);

programTest([], "an edge names another vhost at the origin when it is told to", async (scope) => {
  const origin = await LocalNode.start(scope, {}, { vhosts: { "up.example": {}, "edge.example.up": {} } });
  const remote = { mode: "remote", origin: [origin.origin] };
  const vhosts = {
    "edge.example": { cluster: { ...remote, vhost: "[vhost].up" } },
    "other.example": { cluster: { ...remote, vhost: "up.example" } },
  };
  const edge = await LocalNode.start(scope, {}, { vhosts });
  for (const [vhost, upstream] of [["edge.example", "edge.example.up"], ["other.example", "up.example"]]) {
    const name = `a?token=x&vhost=${vhost}`;
    const encoder = await startEncoder(scope, edge.rtmp.port, name);
    equal(origin.node.runtime.hub.get(`${upstream}/live/a`)?.feed?.kind, "publish");
    await encoder.close();
    await until(() => origin.node.runtime.hub.get(`${upstream}/live/a`) === undefined, "the publisher's end");
    await startEncoder(scope, origin.rtmp.port, `a?vhost=${upstream}`);
    await (await watchRtmp(scope, edge.rtmp.port, name)).more(10);
  }
});

programTest([], "an edge of an edge: published to either end, played at both", async (scope) => {
  const origin = await LocalNode.start(scope);
  const middle = await startLocalEdge(scope, [origin]);
  const leaf = await startLocalEdge(scope, [middle]);
  await startEncoder(scope, origin.rtmp.port, "down");
  await startEncoder(scope, leaf.rtmp.port, "up");
  for (const node of [origin, middle, leaf]) {
    for (const name of ["down", "up"]) {
      await (await watchRtmp(scope, node.rtmp.port, name)).more(10);
      await (await watchFlv(scope, node.httpPort, `live/${name}.flv`)).more(10);
    }
  }
});

programTest([], "edges that are each other's origin refuse what comes back", async (scope) => {
  const one = await startLocalEdge(scope, []);
  const two = await startLocalEdge(scope, [one], { linger_ms: 100 });
  one.reload({ mode: "remote", origin: [two.origin], stream_wait_ms: 500, linger_ms: 100 });
  const player = await watchRtmp(scope, one.rtmp.port, "a");
  await until(() => player.isEnded, "the end of the wait");
  ok(one.errors("relay-loop") > 0);
  ok(one.node.rtmp.clients.size < 10);
  // Neither keeps the other looking for it.
  for (const { node } of [one, two]) await until(() => node.runtime.hub.size === 0, "the end of the pulls");
  await rejects(startEncoder(scope, one.rtmp.port, "a"), /The other server refused/);
});

programTest(
  [],
  "what an edge has begun goes by a reload, and goes on where the vhost is no edge after it",
  async (scope) => {
    const origin = await LocalNode.start(scope);
    const edge = await startLocalEdge(scope, []);
    const keys = { mode: "remote", origin: [origin.origin] };
    await startEncoder(scope, origin.rtmp.port, "a");
    const player = await watchRtmp(scope, edge.rtmp.port, "a");
    edge.reload(keys);
    await player.more(10);
    edge.reload({ mode: "local" });
    await player.more(10);
    await startEncoder(scope, edge.rtmp.port, "here");
    equal(origin.node.runtime.hub.get("/live/here"), undefined, "a lone origin pushes nothing");
    edge.reload(keys);
    await startEncoder(scope, edge.rtmp.port, "b");
    equal(origin.node.runtime.hub.get("/live/b")?.feed?.kind, "publish");
    await player.more(10);
  },
);

programTest([], "an edge follows three redirects, and no fourth", async (scope) => {
  const origin = await LocalNode.start(scope);
  await startEncoder(scope, origin.rtmp.port, "a");
  let next = origin.rtmp.port;
  const chain: TestServer[] = [];
  for (let i = 0; i < 4; i++) {
    const tcUrl = `rtmp://127.0.0.1:${next}/live`;
    const server = testServer(scope, () => ({
      admitPlay: () => Promise.resolve({ kind: "redirect", tcUrl, url: `${tcUrl}/a` }),
    }));
    chain.push(server);
    next = server.address.port;
  }
  const [, , third, fourth] = chain.map(({ address }) => ({ origin: `127.0.0.1:${address.port}` }));
  ok(third !== undefined && fourth !== undefined);
  const near = await startLocalEdge(scope, [third]);
  await (await watchRtmp(scope, near.rtmp.port, "a")).more(10);
  const far = await startLocalEdge(scope, [fourth], { stream_wait_ms: 500 });
  const player = await watchRtmp(scope, far.rtmp.port, "a");
  await until(() => player.isEnded, "the end of the wait");
  equal(player.messages, 0);
});

programTest([], "an origin that takes connections and never answers is passed over", async (scope) => {
  const origin = await LocalNode.start(scope);
  const edge = await startLocalEdge(scope, [{ origin: silentAddress(scope) }, origin]);
  // Whichever of the two a stream's name puts first.
  for (const name of ["a", "b", "c", "d"]) {
    await startEncoder(scope, origin.rtmp.port, `down-${name}`);
    await (await watchRtmp(scope, edge.rtmp.port, `down-${name}`)).more(5);
    await startEncoder(scope, edge.rtmp.port, `up-${name}`);
  }
});

programTest([], "an encoder is let in as soon as an origin is back", async (scope) => {
  const down = refusingAddress();
  const edge = await startLocalEdge(scope, [{ origin: down }]);
  await rejects(startEncoder(scope, edge.rtmp.port, "a"), /Cannot connect to/);
  const origin = await LocalNode.start(scope, {}, { listen: down });
  equal(origin.origin, down);
  await startEncoder(scope, edge.rtmp.port, "a");
  await (await watchRtmp(scope, origin.rtmp.port, "a")).more(5);
});

programTest([], "with token_traverse an origin says who may connect", async (scope) => {
  const asked: string[] = [];
  const origin = testServer(scope, () => ({
    admitConnect: ({ tcUrl }) => {
      asked.push(tcUrl);
      return tcUrl.includes("token=good")
        ? Promise.resolve()
        : Promise.reject(new RtmpError("unauthorized", "Cannot connect: the token is bad"));
    },
  }));
  const keys = { token_traverse: true };
  const address = { origin: `127.0.0.1:${origin.address.port}` };
  const dead = { origin: refusingAddress() };
  const edge = await startLocalEdge(scope, [dead, address], keys);
  const connect = (node: LocalNode, app: string) => RtmpTestClient.connect(node.rtmp, app);
  const good = await connect(edge, "live?token=good");
  scope.onClose(() => good.close());
  match(asked.join(), /live\?token=good/);
  await rejects(connect(edge, "live?token=bad"), /answered with _error/);
  const deaf = await startLocalEdge(scope, [dead], keys);
  await rejects(connect(deaf, "live?token=good"), /answered with _error/);
});

function testServer(scope: TestScope, router: OtherRouter): TestServer {
  const server = startTestServer({}, router);
  scope.onClose(() => server.stop());
  return server;
}

/** Where nobody listens. */
function refusingAddress(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return `127.0.0.1:${port}`;
}

/** Where the kernel takes connections and nobody answers. */
function silentAddress(scope: TestScope): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  scope.onClose(() => listener.close());
  return `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
}

function ownersOf(nodes: readonly LocalNode[], stream: string): number {
  return nodes.filter(({ node }) => node.cluster.owned.get(`/live/${stream}`) !== undefined).length;
}
