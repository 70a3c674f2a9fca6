/**
 * The life of a client is told once and in order, whichever way it ends: hooks, books and the log believe it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dialTcp } from "../../lib/net/tcp.ts";
import type { Client } from "../../lib/server/client.ts";
import type { ServerRuntime } from "../../lib/server/server_runtime.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { until } from "../fakes/deadline.ts";
import { settle } from "../fakes/fake_clock.ts";
import { FlvNode } from "../fakes/flv_peer.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { startTestServer, type TestServer } from "../fakes/test_server.ts";

/** What is told of each client, in order: an array a client, in the order in which they came. */
function tellOf({ events }: ServerRuntime): string[][] {
  const lives = new Map<Client, string[]>();
  const lifeOf = (client: Client) => {
    const life = lives.get(client);
    assert.ok(life !== undefined, "told of before it was opened");
    return life;
  };
  const told: string[][] = [];
  events.listen({
    opened(client) {
      assert.equal(lives.has(client), false, "opened twice");
      const life = [client.protocol];
      lives.set(client, life);
      told.push(life);
    },
    began: (client, { kind, stream }, isFirst) =>
      lifeOf(client).push(`${isFirst ? "first " : ""}${kind} ${stream.key}`),
    stopped: (client, { kind, stream }) => lifeOf(client).push(`no ${kind} ${stream.key}`),
    closed: (client, { reason, hasAsked, hasBegun }) =>
      lifeOf(client).push(`${reason?.code ?? "left"} ${hasAsked ? "asked" : ""} ${hasBegun ? "begun" : ""}`),
  });
  return told;
}

const ENDS: readonly {
  readonly name: string;
  readonly life: readonly string[];
  readonly config?: Record<string, unknown>;
  readonly live: (server: TestServer) => Promise<void>;
}[] = [
  {
    name: "a client that says nothing",
    life: ["left  "],
    live: async ({ address }) => (await dialTcp(address, 1000)).close(),
  },
  {
    name: "an encoder that leaves",
    life: ["first publish /live/a", "no publish /live/a", "left asked begun"],
    live: async ({ address }) => (await RtmpTestClient.publish(address, "live", "a")).close(),
  },
  {
    name: "a player that is kicked",
    life: ["first play /live/a", "no play /live/a", "kicked asked begun"],
    live: async ({ address, server }) => {
      const client = await RtmpTestClient.play(address, "live", "a");
      for (const one of [...server.clients.active()]) one.kick();
      await client.closed();
      client.close();
    },
  },
  {
    name: "a client that is refused",
    life: ["vhost-not-found asked "],
    config: { vhost: { "a.example": {} } },
    live: ({ address }) => assert.rejects(RtmpTestClient.play(address, "live", "a?vhost=none.example")),
  },
  {
    name: "a client that publishes, stops and plays",
    life: [
      "first publish /live/a",
      "no publish /live/a",
      "play /live/b",
      "no play /live/b",
      "left asked begun",
    ],
    live: async ({ address }) => {
      const client = await RtmpTestClient.publish(address, "live", "a");
      await client.sendCommand("deleteStream", 0, null, 1);
      const id = await client.createStream();
      await client.sendCommand("play", id, null, "b");
      await client.status();
      client.close();
    },
  },
];

for (const { name, life, config, live } of ENDS) {
  Deno.test(`told once and in order: ${name}`, async () => {
    const server = startTestServer(config);
    try {
      const told = tellOf(server.runtime);
      await live(server);
      await until(() => server.server.clients.size === 0 && told.length > 0, "the end");
      assert.deepEqual(told, [["rtmp", ...life]]);
    } finally {
      await server.stop();
    }
  });
}

Deno.test("told once and in order: a player over HTTP that leaves, and one that is refused", async () => {
  const node = new FlvNode({ __defaultVhost__: { http_remux: { wait_ms: 0 } } });
  const told = tellOf(node.runtime);
  const refused = node.request("/live/none.flv");
  await settle();
  await node.clock.advance(1);
  assert.equal((await refused).status, 404);
  assert.deepEqual(told.pop(), ["http-flv", "stream-not-found asked "]);
  const feed = node.publish("/live/a");
  for (const typeId of [MESSAGE_TYPE.audio, MESSAGE_TYPE.video]) {
    const payload = Uint8Array.from(
      typeId === MESSAGE_TYPE.audio ? [0xaf, 0, 0x12, 0x10] : [0x17, 0, 0, 0, 0],
    );
    feed.write({ typeId, timestamp: 0, payload }, node.clock.now());
  }
  const player = await node.play("/live/a.flv");
  await player.leave();
  assert.deepEqual(told, [["http-flv", "first play /live/a", "no play /live/a", "left asked begun"]]);
});
