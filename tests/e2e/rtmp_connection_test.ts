import assert from "node:assert/strict";
import { Amf0Object, type Amf0Value } from "../../lib/wire/amf0.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
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

/** How clients say where a stream is, in their connect and their publish; and the key that it makes. */
const connects: {
  readonly name: string;
  readonly connect: Readonly<Record<string, Amf0Value>>;
  readonly stream: string;
  readonly key: string;
}[] = [
  {
    name: "no app, as OBS sends `rtmp://host` and a key",
    connect: { app: "", tcUrl: "rtmp://h" },
    stream: "key",
    key: "/__defaultApp__/key",
  },
  {
    name: "no app, as FFmpeg sends `rtmp://host/key`",
    connect: { app: "key", tcUrl: "rtmp://h:1935/key" },
    stream: "",
    key: "/__defaultApp__/key",
  },
  {
    name: "an app beside a tcUrl without one, as nginx-rtmp's push sends it",
    connect: { app: "live", tcUrl: "rtmp://h:1935/" },
    stream: "a",
    key: "/live/a",
  },
  { name: "an app without a tcUrl", connect: { app: "live" }, stream: "b", key: "/live/b" },
  { name: "an app and a tcUrl of null", connect: { app: "live", tcUrl: null }, stream: "c", key: "/live/c" },
  {
    name: "a tcUrl without a scheme",
    connect: { app: "live", tcUrl: "h:1935/live" },
    stream: "d",
    key: "/live/d",
  },
  { name: "a tcUrl that is a path", connect: { app: "live", tcUrl: "/live" }, stream: "e", key: "/live/e" },
  {
    name: "a login",
    connect: { app: "live", tcUrl: "rtmp://user:pass@h/live" },
    stream: "f",
    key: "/live/f",
  },
  {
    name: "a slash at the end",
    connect: { app: "live/", tcUrl: "rtmp://h/live/" },
    stream: "g/",
    key: "/live/g",
  },
  {
    name: "a number sign",
    connect: { app: "live", tcUrl: "rtmp://h/live" },
    stream: "room#1",
    key: "/live/room#1",
  },
];

Deno.test("however a client says where its stream is, it is there, and its login is nowhere", () =>
  withClients(async (server, keep) => {
    for (const { name, connect, stream, key } of connects) {
      const client = await keep(RtmpTestClient.dial(server.address));
      await client.handshake();
      await client.sendRaw(20, 0, encodeCommand("connect", 1, Amf0Object.from(connect)));
      assert.equal((await client.answer(1)).name, "_result", name);
      const id = await client.createStream();
      await client.sendCommand("publish", id, null, stream, "live");
      assert.equal((await client.status()).code, "NetStream.Publish.Start", name);
      assert.deepEqual([...server.runtime.hub.values()].map(({ key }) => key), [key], name);
      for (const { tcUrl } of server.server.clients.active()) assert.ok(!tcUrl.includes("pass"), tcUrl);
      client.close();
      await until(() => server.server.clients.size === 0, "the publisher to be gone");
    }
  }));

Deno.test("a stream without an app is played by the same URL, in either form", () =>
  withClients(async ({ address }, keep) => {
    const publisher = await keep(RtmpTestClient.publish(address, "", "key"));
    await publisher.sendMedia(9, 0, KEY);
    for (const [app, name] of [["key", ""], ["", "key"], ["__defaultApp__", "key"]] as const) {
      const player = await keep(RtmpTestClient.play(address, app, name));
      assert.deepEqual((await player.nextMedia()).payload, KEY, `app '${app}', name '${name}'`);
    }
  }));

Deno.test("a player finds a stream without the prefix or the percent-encoding that its program adds", () =>
  withClients(async ({ address }, keep) => {
    const publish = async (name: string, payload: Uint8Array) => {
      const publisher = await keep(RtmpTestClient.publish(address, "live", name));
      await publisher.sendMedia(9, 0, payload);
    };
    const marked = (mark: number) => Uint8Array.of(...KEY, mark);
    await publish("cam.mp4", marked(1));
    await publish("mp4:both", marked(2));
    await publish("both", marked(3));
    await publish("my cam", marked(4));
    await publish("mp4:door.mp4", marked(5));
    for (
      const [name, mark] of [
        ["mp4:cam.mp4", 1],
        ["mp4:cam.mp4?token=x", 1],
        ["cam.mp4", 1],
        ["mp4:both", 2], // the full name comes first
        ["both", 3],
        ["flv:both", 3],
        ["my%20cam", 4],
        ["door.mp4", 5],
        ["mp4:door.mp4", 5],
      ] as const
    ) {
      const player = await keep(RtmpTestClient.play(address, "live", name));
      assert.deepEqual((await player.nextMedia()).payload, marked(mark), name);
    }
  }));

Deno.test("a player of a server that stops is told so, an encoder sees an end and no error", async () => {
  const server = startTestServer();
  const publisher = await RtmpTestClient.publish(server.address, "live", "s");
  const player = await RtmpTestClient.play(server.address, "live", "s");
  try {
    const stopped = server.stop();
    assert.equal((await player.status()).code, "NetStream.Play.Stop");
    await Promise.all([publisher.closed(), player.closed()]);
    publisher.close();
    await stopped;
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
    const players = [...server.server.clients.active()].filter(({ type }) => type === "rtmp-play");
    assert.equal(players.length, 2);
    players[0]?.kick();
    await kicked.closed();
    await until(() => server.server.clients.size === 2, "the kicked client to be gone");
    await publisher.sendMedia(9, 0, KEY);
    assert.deepEqual((await other.nextMedia()).payload, KEY);
    assert.equal(server.errors("kicked"), 1);
  }));
