import { TrafficByVhost } from "../../lib/base/upstream_traffic.ts";
import assert from "node:assert/strict";
import { LiveServerView } from "../../lib/app/live_server_view.ts";
import { RtmpError } from "../../lib/base/errors.ts";
import { FlvServer } from "../../lib/outputs/flv_server.ts";
import { until } from "../fakes/deadline.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { hex } from "../golden/hex.ts";
import { type OtherRouter, startTestServer, type TestServer } from "../fakes/test_server.ts";

const PAYLOAD = new Uint8Array(20_000).fill(0xaf);

/** A server and what its API is told of it. */
class SeenServer {
  readonly server: TestServer;
  readonly view: LiveServerView;
  readonly #clients: RtmpTestClient[] = [];

  constructor(router?: OtherRouter) {
    this.server = startTestServer({}, router);
    const { runtime, server } = this.server;
    this.view = new LiveServerView({
      serverId: "vid-1",
      serviceId: "service1",
      pid: 1,
      version: "0.0.0",
      startedAtMs: 0,
      server,
      upstreamTraffic: new TrafficByVhost(),
      vhosts: () => [["__defaultVhost__", true]],
      hasVhost: (name) => name === "__defaultVhost__",
      readiness: () => ({ isReady: true }),
      cluster: () => undefined,
      newId: () => runtime.newId(),
    });
  }

  static async run(
    use: (seen: SeenServer) => Promise<void>,
    router?: OtherRouter,
  ): Promise<void> {
    const seen = new SeenServer(router);
    try {
      await use(seen);
    } finally {
      for (const client of seen.#clients) client.close();
      await seen.server.stop();
    }
  }

  /** Ends with the server. */
  keep(client: RtmpTestClient): RtmpTestClient {
    this.#clients.push(client);
    return client;
  }

  async publish(): Promise<RtmpTestClient> {
    return this.keep(await RtmpTestClient.publish(this.server.address, "live", "a"));
  }

  async play(): Promise<RtmpTestClient> {
    return this.keep(await RtmpTestClient.play(this.server.address, "live", "a"));
  }

  async connect(): Promise<RtmpTestClient> {
    return this.keep(await RtmpTestClient.connect(this.server.address, "live"));
  }

  /** Waits until so many connections are left. */
  async isLeft(count: number): Promise<void> {
    await until(() => this.server.server.clients.size === count, `${count} connections`);
  }

  /** What the stream, its vhost and the server have sent. */
  get sent(): { stream: number; vhost: number; server: number } {
    const [stream] = this.view.streams();
    const [vhost] = this.view.vhosts();
    return {
      stream: stream?.sendBytes ?? NaN,
      vhost: vhost?.sendBytes ?? NaN,
      server: this.view.totals().sendBytes,
    };
  }
}

Deno.test("what a player was sent still counts when it has left: bytes and rates of stream and vhost", () =>
  SeenServer.run(async (seen) => {
    const publisher = await seen.publish();
    seen.view.sample();
    const player = await seen.play();
    await publisher.sendMedia(8, 0, PAYLOAD);
    assert.equal((await player.nextMedia()).payload.length, PAYLOAD.length);
    await until(() => seen.sent.server > PAYLOAD.length, "the bytes to be counted");
    const before = seen.sent;
    player.close();
    await seen.isLeft(1);
    seen.view.sample();
    const after = seen.sent;
    for (const name of ["stream", "vhost", "server"] as const) {
      assert.ok(before[name] >= PAYLOAD.length, `${name} sent ${before[name]}`);
      assert.ok(after[name] >= before[name], `${name} fell from ${before[name]} to ${after[name]}`);
    }
    const [stream] = seen.view.streams();
    const [vhost] = seen.view.vhosts();
    assert.ok((stream?.kbps.send30s ?? 0) > 0, "the stream's rate");
    assert.ok((vhost?.kbps.send30s ?? 0) > 0, "the vhost's rate");
    assert.equal(vhost?.clients, 1);
  }));

Deno.test("the totals never go back, whatever a connection is about", () =>
  SeenServer.run(async (seen) => {
    let last = { receiveBytes: 0, sendBytes: 0 };
    const check = (when: string): void => {
      const { receiveBytes, sendBytes } = seen.view.totals();
      assert.ok(receiveBytes >= last.receiveBytes, `received ${receiveBytes} ${when}`);
      assert.ok(sendBytes >= last.sendBytes, `sent ${sendBytes} ${when}`);
      last = { receiveBytes, sendBytes };
    };
    const client = await seen.connect();
    check("before it said what it wants");
    assert.ok(last.receiveBytes > 3000, "the handshake counts");
    const id = await client.createStream();
    await client.sendCommand("publish", id, null, "a", "live");
    await client.status();
    await client.sendMedia(8, 0, PAYLOAD);
    await until(() => seen.server.runtime.hub.get("/live/a")?.receivedBytes === PAYLOAD.length, "the media");
    check("while it publishes");
    await client.sendCommand("FCUnpublish", 0, null, "a");
    await client.sendCommand("deleteStream", 0, null, id);
    await until(() => seen.server.runtime.hub.size === 0, "the end of the publish");
    check("when it has stopped");
    client.close();
    await seen.isLeft(0);
    check("when it has gone");
    assert.equal(last.receiveBytes > PAYLOAD.length, true);
  }));

Deno.test("a client that is refused or breaks the protocol is one that failed; one that leaves or is kicked is not", async () => {
  const isWanted = (stream: string) => stream !== "none";
  const router: OtherRouter = (lone) => ({
    admitPlay: (request) =>
      isWanted(request.address.stream)
        ? lone.admitPlay(request)
        : Promise.reject(new RtmpError("stream-not-found", "Cannot find it")),
  });
  await SeenServer.run(async (seen) => {
    const totals = () => {
      const { clientsTotal, clientErrorsTotal } = seen.view.totals();
      return [clientsTotal, clientErrorsTotal];
    };
    const publisher = await seen.publish();
    await assert.rejects(RtmpTestClient.publish(seen.server.address, "live", "a"), /BadName/);
    await seen.isLeft(1);
    assert.deepEqual(totals(), [2, 1], "a second publisher");
    await assert.rejects(RtmpTestClient.play(seen.server.address, "live", "none"), /StreamNotFound/);
    await seen.isLeft(1);
    assert.deepEqual(totals(), [3, 2], "a player of nothing");
    (await seen.play()).close();
    await seen.isLeft(1);
    assert.deepEqual(totals(), [4, 2], "a player that leaves");
    await seen.play();
    const [, player] = seen.view.clients();
    assert.ok(seen.view.kick(player?.id ?? ""));
    await seen.isLeft(1);
    assert.deepEqual(totals(), [5, 2], "one that was kicked");
    (await RtmpTestClient.dial(seen.server.address)).close();
    const silent = await seen.connect();
    silent.close();
    await seen.isLeft(1);
    assert.deepEqual(totals(), [5, 2], "a port scan, and one that asked for nothing");
    // A header that refers to the one before, on a chunk stream that had none.
    await publisher.send(Uint8Array.of(0xff));
    await seen.isLeft(0);
    assert.deepEqual(totals(), [5, 3], "an encoder that breaks the protocol");
    const flv = new FlvServer(seen.server.server);
    const address = {
      scheme: "http",
      host: "h",
      port: 80,
      vhost: "h",
      app: "live",
      stream: "none",
      parameters: "",
    };
    await assert.rejects(
      flv.play({
        addresses: [address],
        ip: "::1",
        pageUrl: "",
        transport: "http",
        isPage: false,
        signal: new AbortController().signal,
      }),
    );
    assert.deepEqual(totals(), [6, 4], "an HTTP-FLV player of nothing");
  }, router);
});

Deno.test("the size of VP9 and VP8, whose headers have none, is that of their newest key frame", () =>
  SeenServer.run(async (seen) => {
    const publisher = await seen.publish();
    const size = async (timestamp: number, bytes: string): Promise<unknown> => {
      const frames = seen.server.runtime.hub.get("/live/a")?.videoFrames ?? 0;
      await publisher.sendMedia(9, timestamp, hex(bytes));
      await until(() => (seen.server.runtime.hub.get("/live/a")?.videoFrames ?? 0) > frames, "the frame");
      const [stream] = seen.view.streams();
      return [stream?.video?.codec, stream?.video?.profile, stream?.video?.width, stream?.video?.height];
    };
    await publisher.sendMedia(9, 0, hex("90 'vp09' 00 1f 82 02 02 02 0000"));
    assert.deepEqual(await size(0, "91 'vp09' 82498342 0014100f 16043824"), ["VP9", "Profile 0", 322, 242]);
    assert.deepEqual(await size(40, "a1 'vp09' 86004092f1114000"), ["VP9", "Profile 0", 322, 242]);
    assert.deepEqual(await size(80, "91 'vp09' 82498342 0027f016 78043824"), ["VP9", "Profile 0", 640, 360]);
  }));
