import assert from "node:assert/strict";
import { encodeUserControl } from "../../lib/wire/control.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { startTestServer, type TestServer } from "../fakes/test_server.ts";
import { until } from "../fakes/deadline.ts";

const KEY = Uint8Array.of(0x17, 1, 0, 0, 0, 1);
const INTER = Uint8Array.of(0x27, 1, 0, 0, 0, 2);
const AUDIO = Uint8Array.of(0xaf, 1, 3);
const VIDEO_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 9);

/** A server and clients that are closed whatever happens. */
async function withClients(
  use: (
    server: TestServer,
    keep: (client: Promise<RtmpTestClient>) => Promise<RtmpTestClient>,
  ) => Promise<void>,
): Promise<void> {
  const server = startTestServer();
  const clients: RtmpTestClient[] = [];
  try {
    await use(server, async (opening) => {
      const client = await opening;
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client.close();
    await server.stop();
    assert.equal(server.runtime.hub.size, 0, "no stream is left");
  }
}

Deno.test("a player waits for its stream, and stays while publishers go and come", () =>
  withClients(async ({ address }, keep) => {
    const player = await keep(RtmpTestClient.play(address, "live", "s"));
    for (const [first, second] of [[0, 40], [50, 90]] as const) {
      const publisher = await keep(RtmpTestClient.publish(address, "live", "s"));
      await publisher.sendMedia(9, 0, VIDEO_HEADER);
      await publisher.sendMedia(9, 0, KEY);
      await publisher.sendMedia(9, 40, INTER);
      for (const [timestamp, payload] of [[first, VIDEO_HEADER], [first, KEY], [second, INTER]] as const) {
        const message = await player.nextMedia();
        assert.deepEqual([message.timestamp, message.payload], [timestamp, payload]);
      }
      const transactionId = await publisher.sendCommand("FCUnpublish", 0, null, "s");
      await publisher.answer(transactionId);
      publisher.close();
    }
  }));

Deno.test("one connection publishes a stream and plays it, closes the play and plays again", () =>
  withClients(async ({ address }, keep) => {
    const client = await keep(RtmpTestClient.publish(address, "live", "s"));
    await client.sendMedia(9, 0, KEY);
    const id = await client.createStream();
    assert.equal(id, 2);
    for (let i = 1; i <= 2; i++) {
      await client.sendCommand("play", id, null, "s");
      const message = await client.nextMedia();
      assert.deepEqual([message.messageStreamId, message.payload], [2, KEY]);
      await client.sendCommand("closeStream", id, null);
    }
    const transactionId = await client.sendCommand("_checkbw", 0, null);
    await client.answer(transactionId);
    await client.sendMedia(9, 40, INTER);
    await client.sendRaw(4, 0, encodeUserControl(6, 77));
    const next = await client.nextOf(4, 9);
    assert.equal(next.typeId, 4, "closed plays are given nothing more");
  }));

Deno.test("a play with a duration ends with Play.Stop and the connection", () =>
  withClients(async ({ address, errors }, keep) => {
    const publisher = await keep(RtmpTestClient.publish(address, "live", "s"));
    const player = await keep(RtmpTestClient.connect(address, "live"));
    const id = await player.createStream();
    await player.sendCommand("play", id, null, "s", -2000, 100);
    await player.status();
    assert.equal((await player.status()).code, "NetStream.Play.Start");
    for (const timestamp of [0, 40, 80, 120]) {
      await publisher.sendMedia(9, timestamp, timestamp === 0 ? KEY : INTER);
    }
    for (const timestamp of [0, 40, 80]) assert.equal((await player.nextMedia()).timestamp, timestamp);
    assert.equal((await player.status()).code, "NetStream.Play.Stop");
    await player.closed();
    assert.equal(errors("play-duration"), 1);
  }));

Deno.test("pause holds media back, and receiveAudio leaves it out", () =>
  withClients(async ({ address }, keep) => {
    const publisher = await keep(RtmpTestClient.publish(address, "live", "s"));
    const player = await keep(RtmpTestClient.play(address, "live", "s"));
    await player.sendCommand("pause", 1, null, true, 0);
    assert.equal((await player.status()).code, "NetStream.Pause.Notify");
    await publisher.sendMedia(9, 0, KEY);
    await publisher.sendMedia(8, 10, AUDIO);
    const transactionId = await player.sendCommand("receiveAudio", 1, null, false);
    await player.answer(transactionId);
    assert.ok(!player.seen.some(({ typeId }) => typeId === 8 || typeId === 9));
    await player.sendCommand("pause", 1, null, false, 0);
    assert.deepEqual((await player.nextMedia()).payload, KEY);
    await publisher.sendMedia(8, 20, AUDIO);
    await publisher.sendMedia(9, 40, INTER);
    assert.deepEqual((await player.nextMedia()).payload, INTER);
  }));

Deno.test("an empty stream name means the app's last segment", () =>
  withClients(async (server, keep) => {
    const publisher = await keep(RtmpTestClient.publish(server.address, "live/s", ""));
    assert.deepEqual([...server.runtime.hub.values()].map(({ key }) => key), ["/live/s"]);
    const player = await keep(RtmpTestClient.play(server.address, "live", "s"));
    await publisher.sendMedia(9, 0, KEY);
    assert.deepEqual((await player.nextMedia()).payload, KEY);
  }));

Deno.test("app segments, dots and slashes in parameters make the key that they should", () =>
  withClients(async (server, keep) => {
    await keep(RtmpTestClient.publish(server.address, "a/b", "room.1?token=x/y"));
    await keep(RtmpTestClient.publish(server.address, "a", "b/room.2"));
    assert.deepEqual([...server.runtime.hub.values()].map(({ key }) => key).sort(), [
      "/a/b/room.1",
      "/a/b/room.2",
    ]);
  }));

Deno.test("a client of a server that stops is told so", async () => {
  const server = startTestServer();
  const publisher = await RtmpTestClient.publish(server.address, "live", "s");
  const player = await RtmpTestClient.play(server.address, "live", "s");
  try {
    const stopped = server.stop();
    assert.equal((await publisher.status()).code, "NetConnection.Connect.AppShutdown");
    assert.equal((await player.status()).code, "NetStream.Play.Stop");
    await stopped;
    await Promise.all([publisher.closed(), player.closed()]);
    assert.equal(server.errors("shutting-down"), 2);
  } finally {
    publisher.close();
    player.close();
  }
});

Deno.test("a client that is kicked is closed, and the others stay", () =>
  withClients(async (server, keep) => {
    const publisher = await keep(RtmpTestClient.publish(server.address, "live", "s"));
    const [kicked, other] = [
      await keep(RtmpTestClient.play(server.address, "live", "s")),
      await keep(RtmpTestClient.play(server.address, "live", "s")),
    ];
    const players = [...server.server.clients()].filter(({ type }) => type === "rtmp-play");
    assert.equal(players.length, 2);
    players[0]?.kick();
    await kicked.closed();
    await until(() => server.server.connectionCount === 2, "the kicked client to be gone");
    await publisher.sendMedia(9, 0, KEY);
    assert.deepEqual((await other.nextMedia()).payload, KEY);
    assert.equal(server.errors("kicked"), 1);
  }));
