// deno-lint-ignore-file camelcase -- names of the configuration
import { deepEqual, equal } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { allHooks, HookServer } from "../fakes/hook_server.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { LocalNode, reloadCluster } from "./cluster_nodes.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { TestScope } from "./test_scope.ts";

/** Two origins of a cluster and an edge, which all tell one hook server what happens, each by a path of its own. */
class HookedCluster {
  readonly a: LocalNode;
  readonly b: LocalNode;
  readonly edge: LocalNode;
  readonly hooks: HookServer;

  private constructor(a: LocalNode, b: LocalNode, edge: LocalNode, hooks: HookServer) {
    this.a = a;
    this.b = b;
    this.edge = edge;
    this.hooks = hooks;
  }

  static async start(scope: TestScope, keys: Record<string, unknown>): Promise<HookedCluster> {
    const hooks = new HookServer();
    scope.onClose(() => hooks[Symbol.asyncDispose]());
    const sections = (path: string) => ({ http_hooks: allHooks(hooks.url(path)) });
    const a = await LocalNode.start(scope, { origin_cluster: true, ...keys }, sections("/a"));
    const b = await LocalNode.start(scope, { origin_cluster: true, ...keys }, sections("/b"));
    reloadCluster([a, b], keys);
    await Promise.all([a.meets(1), b.meets(1)]);
    const edgeKeys = { mode: "remote", origin: [a.origin], linger_ms: 0, secret: keys["secret"] ?? "" };
    return new HookedCluster(a, b, await LocalNode.start(scope, edgeKeys, sections("/edge")), hooks);
  }

  /** What the hook server is told while `act` runs, and after it until nobody is left but those who were here before. */
  async record(act: (scope: TestScope) => Promise<void>, count: number): Promise<string[]> {
    this.hooks.calls.length = 0;
    const scope = new TestScope();
    await act(scope);
    await scope.close();
    await this.hooks.count(count);
    // More than is expected would come within that time.
    await new Promise((resolve) => setTimeout(resolve, 100));
    return this.hooks.calls.map(({ path, body }) => `${path.slice(1)} ${body["action"]}`);
  }
}

function of(node: string, ...actions: string[]): string[] {
  return actions.map((action) => `${node} ${action}`);
}

const PLAY = ["on_connect", "on_play", "on_stop", "on_close"];
const PLAY_HTTP = ["on_play", "on_stop"];
const PUBLISH = ["on_connect", "on_publish", "on_unpublish", "on_close"];

/** By node, since the hooks of two nodes come in no order. */
function byNode(calls: readonly string[]): string[] {
  return calls.toSorted((x, y) => x.split(" ", 1)[0]?.localeCompare(y.split(" ", 1)[0] ?? "") ?? 0);
}

for (const secret of ["a secret of the cluster", ""]) {
  const isTrusted = secret !== "";
  const words = isTrusted
    ? "with a secret: of each client once, where it is"
    : "without a secret, as in SRS: of nodes as of clients";
  programTest([], `what hooks are told in a cluster ${words}`, async (scope) => {
    const cluster = await HookedCluster.start(scope, { redirect: "relay", linger_ms: 0, secret });
    const { a, b, edge } = cluster;
    const encoder = new TestScope();
    scope.onClose(() => encoder.close());
    await startEncoder(encoder, a.rtmp.port, "s");
    await cluster.hooks.count(2);
    deepEqual(cluster.hooks.actions, ["on_connect", "on_publish"]);
    const pull = (...actions: string[]) => isTrusted ? [] : actions;

    deepEqual(
      await cluster.record(async (scope) => await (await watchRtmp(scope, a.rtmp.port, "s")).more(5), 4),
      of("a", ...PLAY),
      "a play at the owner",
    );
    deepEqual(
      await cluster.record(
        async (scope) => await (await watchFlv(scope, a.httpPort, "live/s.flv")).more(5),
        2,
      ),
      of("a", ...PLAY_HTTP),
      "a play over HTTP",
    );
    deepEqual(
      byNode(
        await cluster.record(async (scope) => {
          await (await watchRtmp(scope, b.rtmp.port, "s")).more(5);
          await (await watchFlv(scope, b.httpPort, "live/s.flv")).more(5);
        }, isTrusted ? 6 : 10),
      ).toSorted(),
      [...of("a", ...pull(...PLAY)), ...of("b", ...PLAY, ...PLAY_HTTP)].toSorted(),
      "two plays that are relayed",
    );
    deepEqual(
      byNode(
        await cluster.record(
          async (scope) => await (await watchRtmp(scope, edge.rtmp.port, "s")).more(5),
          isTrusted ? 4 : 8,
        ),
      ),
      [...of("a", ...pull(...PLAY)), ...of("edge", ...PLAY)],
      "a play at an edge",
    );
    deepEqual(
      byNode(
        await cluster.record(async (scope) => {
          await startEncoder(scope, edge.rtmp.port, "pushed");
          await until(() => a.node.runtime.hub.get("/live/pushed")?.feed?.kind === "publish", "the push");
        }, isTrusted ? 4 : 8),
      ),
      [...of("a", ...pull(...PUBLISH)), ...of("edge", ...PUBLISH)],
      "a publish at an edge",
    );
    const moved = await cluster.record(async (scope) => {
      await encoder.close();
      await until(() => a.node.runtime.hub.get("/live/s") === undefined, "the publisher's end");
      await startEncoder(scope, b.rtmp.port, "s");
    }, 6);
    deepEqual(
      byNode(moved),
      [...of("a", "on_unpublish", "on_close"), ...of("b", ...PUBLISH)],
      "a publisher that moves",
    );
  });
}

programTest(
  [],
  "a node that vouches for nothing, or does not know the secret, is a client like others",
  async (scope) => {
    const security = { enabled: true, rules: ["deny play all"] };
    const origin = await LocalNode.start(scope, { secret: "a secret of the cluster" }, { security });
    await startEncoder(scope, origin.rtmp.port, "s");
    const allows = { enabled: true, rules: ["allow play all"] };
    const edges = [
      // It checks nobody.
      await LocalNode.start(scope, {
        mode: "remote",
        origin: [origin.origin],
        secret: "a secret of the cluster",
      }),
      await LocalNode.start(scope, { mode: "remote", origin: [origin.origin], secret: "another" }, {
        security: allows,
      }),
      await LocalNode.start(scope, { mode: "remote", origin: [origin.origin] }, { security: allows }),
    ];
    for (const [index, edge] of edges.entries()) {
      const before = origin.errors("access-denied");
      const player = await RtmpTestClient.play(edge.rtmp, "live", "s");
      await until(() => origin.errors("access-denied") > before, `the refusal of edge ${index}`);
      player.close();
    }
    equal(origin.node.runtime.hub.get("/live/s")?.playerCount, 0);
    const trusted = await LocalNode.start(
      scope,
      { mode: "remote", origin: [origin.origin], secret: "a secret of the cluster" },
      { security: allows },
    );
    await (await watchRtmp(scope, trusted.rtmp.port, "s")).more(5);
  },
);

programTest([], "a player that is sent to the owner is told of at both, as in SRS", async (scope) => {
  const cluster = await HookedCluster.start(scope, { redirect: "302", secret: "a secret of the cluster" });
  const { a, b } = cluster;
  await startEncoder(scope, a.rtmp.port, "s");
  await cluster.hooks.count(2);
  const calls = await cluster.record(async () => {
    const client = await RtmpTestClient.connect(b.rtmp, "live");
    await client.sendCommand("play", await client.createStream(), null, "s?token=x");
    equal((await client.status()).code, "NetConnection.Connect.Rejected", "SRS's RTMP 302");
    client.close();
    const next = await RtmpTestClient.play(a.rtmp, "live", "s?token=x");
    next.close();
  }, 8);
  deepEqual(byNode(calls), [...of("a", ...PLAY), ...of("b", ...PLAY)]);
});

programTest([], "a player over HTTP that leaves while a hook is asked gets its end", async (scope) => {
  const hooks = new HookServer();
  scope.onClose(() => hooks[Symbol.asyncDispose]());
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  hooks.reply = async ({ body }) => {
    if (body["action"] === "on_play") {
      asked.resolve();
      await answer.promise;
    }
    return undefined;
  };
  const node = await LocalNode.start(scope, {}, { http_hooks: allHooks(hooks.url()) });
  const leave = new AbortController();
  const playing = fetch(`http://127.0.0.1:${node.httpPort}/live/a.flv`, { signal: leave.signal });
  await asked.promise;
  leave.abort();
  await playing.catch(() => {});
  await until(() => node.node.rtmp.clients.size === 0, "the player's end");
  answer.resolve();
  await hooks.count(2);
  deepEqual(hooks.actions, ["on_play", "on_stop"]);
  await until(() => node.node.runtime.hub.size === 0, "the stream's end");
});
