import { deepEqual, equal, match } from "node:assert/strict";
import { Hono } from "hono";
import type { AppBindings } from "../../lib/http/app_handler.ts";
import { ClusterClients } from "../../lib/http/api/cluster_clients_list.ts";
import { EventStreams } from "../../lib/http/api/event_streams.ts";
import { addEventsRoutes } from "../../lib/http/api/events_routes.ts";
import { ClusterHistories } from "../../lib/http/api/history_routes.ts";
import type { MediaSource } from "../../lib/net/connection_writer.ts";
import type { MediaSink } from "../../lib/net/media_sink.ts";
import { ClusterNetwork, FakeNode, type FakeNodeOptions, idle } from "../fakes/cluster_network.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

const HERE = { peer: { hostname: "127.0.0.1", port: 40_000 }, isHead: false, isWebSocket: false };

function routes(options: FakeNodeOptions = {}) {
  const network = new ClusterNetwork();
  const view = new FakeServerView();
  const { report: cluster } = new FakeNode(network, 1, [], options);
  const events = new EventStreams({ clock: network.clock, bootId: "boot", maxOpen: 1 });
  const app = new Hono();
  addEventsRoutes(app, {
    cluster,
    hasAuth: false,
    events,
    clients: new ClusterClients(view, cluster, network.wallNow),
    histories: new ClusterHistories(view, cluster, network.wallNow),
  });
  /** The answer, and the names and data of the first events. */
  const open = async (query: string, env: object = HERE) => {
    const bindings: Partial<AppBindings> = { ...env };
    const response = await app.request(`/api/v1/events${query}`, {}, bindings);
    let text = "";
    let source: MediaSource | undefined;
    const flush = () => {
      const bytes = source?.next();
      if (bytes !== undefined) text += new TextDecoder().decode(bytes);
    };
    const sink = {
      addSource: (given: MediaSource) => source = given,
      flush,
      setNoDelay() {},
      end() {},
      cut() {},
    };
    bindings.play?.open(sink as unknown as MediaSink);
    await idle();
    bindings.play?.close();
    const told = [...text.matchAll(/event: (\w+)\nid: boot-\d+\ndata: (.*)\n\n/g)];
    return {
      response,
      told: told.map(([, event = "", data = ""]) => [event, JSON.parse(data)] as const),
      bindings,
    };
  };
  return { open, events };
}

for (
  const [query, names] of [
    ["", ["nodes", "streams"]],
    ["?view=none", ["nodes"]],
    ["?view=clients&type=publish", ["nodes", "clients"]],
    ["?view=stream&url=%2Flive%2Flivestream", ["nodes", "history"]],
  ] as const
) {
  Deno.test(`a page that asks for events${query} is told of ${names.join(" and ")}`, async () => {
    const { response, told } = await routes().open(query);
    deepEqual([response.status, response.headers.get("Content-Type")], [200, "text/event-stream"]);
    deepEqual(told.map(([event]) => event), names);
    const last = told.at(-1)?.[1];
    if (names.length === 1) equal(last.nodes[0].self, true);
    if (query.includes("clients")) equal(last.clients[0].id, "encoder1");
    if (query.includes("url=")) deepEqual(last.fps, [null, 25, 25]);
  });
}

for (
  const [what, query, env, status] of [
    ["an unknown view", "?view=all", HERE, 400],
    ["an unknown order", "?sort=shoe", HERE, 400],
    ["more rows than are told", "?view=clients&count=201", HERE, 400],
    ["a WebSocket", "", { ...HERE, isWebSocket: true }, 400],
  ] as const
) {
  Deno.test(`events are refused in words for ${what}`, async () => {
    const { response, bindings } = await routes().open(query, env);
    equal(response.status, status);
    match((await response.json()).message, /^Cannot /);
    equal(bindings.play, undefined);
  });
}

Deno.test("HEAD opens no stream, and the page that is one too many is told when to come back", async () => {
  const { open, events } = routes();
  equal((await open("", { ...HERE, isHead: true })).bindings.play, undefined);
  equal(events.size, 0);
  events.open(() => Promise.resolve([]));
  const { response } = await open("");
  deepEqual([response.status, response.headers.get("Retry-After")], [503, "10"]);
  events.closeAll();
});

Deno.test("with a secret and no password a stranger is told of no events", async () => {
  const { open } = routes({ vhost: { secret: "a secret of the cluster, long enough" } });
  const { response } = await open("", { ...HERE, peer: { hostname: "198.51.100.7", port: 1 } });
  equal(response.status, 403);
});
