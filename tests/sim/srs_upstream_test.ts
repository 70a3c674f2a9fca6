/**
 * Pulling from and pushing to SRS's origins, as recorded, without a socket: what a relay and an edge do with their answers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { SearchPace } from "../../lib/cluster/search_pace.ts";
import { type PullSource, StreamPull } from "../../lib/cluster/stream_pull.ts";
import { StreamPush } from "../../lib/cluster/stream_push.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../../lib/cluster/upstream_target.ts";
import { hostAndPort } from "../../lib/base/stream_address.ts";
import type { Dial } from "../../lib/cluster/upstream_connection.ts";
import { LiveStream } from "../../lib/hub/live_stream.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { idle } from "../fakes/cluster_network.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { ReplayedServer } from "../fakes/replayed_server.ts";
import { commandOf } from "../fakes/session_peer.ts";
import { readAll, TEST_STREAM_OPTIONS, TestFeed } from "../fakes/stream_peer.ts";
import type { SrsExchangeName } from "../fixtures/srs.ts";

const ORIGINS = [19_351, 19_350];

/** Servers that are dialled one after another. */
class Upstream {
  readonly clock: FakeClock = new FakeClock();
  /** `host:port` of each that was dialled. */
  readonly dialled: string[] = [];
  readonly servers: ReplayedServer[];
  readonly tried: string[] = [];
  /** How often it was asked whether the stream is elsewhere. */
  asked = 0;
  hasMoved = false;
  /** Where the stream is looked for. */
  ports: readonly number[] = ORIGINS;

  constructor(names: readonly SrsExchangeName[], edit?: (bytes: Uint8Array) => Uint8Array) {
    this.servers = names.map((name) => new ReplayedServer(name, edit));
  }

  readonly dial: Dial = ({ hostname, port }) => {
    const server = this.servers[this.dialled.push(hostAndPort(hostname, port)) - 1];
    if (server === undefined) return Promise.reject(new Error("Connection refused"));
    return Promise.resolve(server.connect());
  };

  source(streamName: string): PullSource {
    return {
      targets: () =>
        Promise.resolve(this.ports.map((port): UpstreamTarget => ({
          address: { hostname: "127.0.0.1", port },
          tcUrl: upstreamTcUrl("127.0.0.1", port, "live"),
          app: "live",
          streamName,
        }))),
      tried: ({ address }, error) => this.tried.push(`${address.port} ${error?.code ?? "ok"}`),
      hasMoved: () => {
        this.asked++;
        return Promise.resolve(this.hasMoved);
      },
    };
  }

  options(streamName: string) {
    return {
      stream: new LiveStream("/live/s", TEST_STREAM_OPTIONS, (output) => output.flushPlayers()),
      source: this.source(streamName),
      dial: this.dial,
      clock: this.clock,
      session: {
        pageUrl: "",
        swfUrl: "",
        argumentsObject: { srs_sig: "SRS" },
        limits: DEFAULT_WIRE_LIMITS,
        randomBytes: (length: number) => new Uint8Array(length),
      },
      connectTimeoutMs: 1000,
    };
  }

  pull(streamName: string): { pull: StreamPull; read: () => string[] } {
    const options = this.options(streamName);
    const cursor = options.stream.subscribe("rtmp", { fromGop: true, onReady: () => {} });
    const pull = new StreamPull({
      ...options,
      firstMediaTimeoutMs: 2000,
      id: "pull",
      pace: new SearchPace(() => 0.5),
    });
    return { pull, read: () => readAll(cursor) };
  }

  /** Lets time pass and what comes of it happen. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      await this.clock.advance(Math.min(left, 50));
      await idle();
    }
  }

  /** What the last server was told in connect. */
  tcUrl(): string | undefined {
    const [connect] = this.servers[this.dialled.length - 1]?.heard.map(commandOf) ?? [];
    return connect?.object instanceof Amf0Object ? connect.object.getString("tcUrl") : undefined;
  }

  /** The last server's commands: name and first argument. */
  commands(): string[] {
    return (this.servers[this.dialled.length - 1]?.heard ?? []).map(commandOf)
      .filter((command) => command !== undefined)
      .map(({ name, arguments: [first] }) => typeof first === "string" ? `${name} ${first}` : name);
  }
}

async function refusal(promise: Promise<void>): Promise<RtmpError> {
  let error: unknown;
  await promise.catch((thrown) => error = thrown);
  assert.ok(error instanceof RtmpError);
  return error;
}

const MEDIA = ["M0", "A0#18", "V0#1", "K10", "a29", "a52", "a75"];

Deno.test("a stream is pulled from SRS's origin, with its metadata, headers and key frame", async () => {
  const upstream = new Upstream(["edge_play"]);
  const { pull, read } = upstream.pull("onb?token=x");
  await upstream.advance(100);
  await pull.ready;
  assert.deepEqual(read(), MEDIA);
  assert.equal(pull.upstream, "127.0.0.1:19351");
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "play onb?token=x"]);
  pull.close();
});

Deno.test("SRS's 302 is followed to the owner, and asks it for the same stream", async () => {
  const upstream = new Upstream(["edge_redirect", "edge_play"]);
  const { pull, read } = upstream.pull("onc?token=x");
  await upstream.advance(100);
  await pull.ready;
  assert.deepEqual(read(), MEDIA);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19352"]);
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "play onc?token=x"]);
  assert.equal(upstream.tcUrl(), "rtmp://127.0.0.1:19352/live");
  pull.close();
});

/** A redirect to what is no address. */
function withoutAddress(bytes: Uint8Array): Uint8Array {
  const text = String.fromCharCode(...bytes).replaceAll("rtmp://127.0.0.1:19352", "rtmp:?#127.0.0.1:19352")
    // A publisher is not told that it plays.
    .replaceAll("NetStream.Play.Start", "NetStream.Play.Reset");
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("a 302 to what is no address is that origin's failure, for a pull and for a push", async () => {
  const upstream = new Upstream(["edge_redirect", "edge_redirect"], withoutAddress);
  const { pull } = upstream.pull("onc");
  await upstream.advance(100);
  assert.equal((await refusal(pull.ready)).code, "bad-tc-url");
  assert.deepEqual(upstream.tried, ["19351 bad-tc-url", "19350 bad-tc-url"]);
  pull.close();
  const other = new Upstream(["edge_redirect"], withoutAddress);
  const push = new StreamPush({ ...other.options("onc"), onBehind: () => {}, onRefused: () => {} });
  await other.advance(100);
  assert.equal((await refusal(push.ready)).code, "bad-tc-url");
  push.close();
});

Deno.test("where SRS closes the connection, as nobody has the stream, the next origin is asked, and then again", async () => {
  const upstream = new Upstream(["edge_nowhere", "edge_nowhere", "edge_play"]);
  const { pull, read } = upstream.pull("none");
  await upstream.advance(100);
  assert.equal((await refusal(pull.ready)).code, "connection-lost");
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19350"]);
  await upstream.advance(200);
  assert.deepEqual(upstream.dialled.slice(2), ["127.0.0.1:19351"]);
  assert.deepEqual(read(), MEDIA);
  pull.close();
});

Deno.test("SRS is silent when its publisher leaves: who has the stream now is asked, and followed at once", async () => {
  const upstream = new Upstream(["edge_play", "edge_play"]);
  const { pull, read } = upstream.pull("onb");
  await upstream.advance(100);
  read();
  await upstream.advance(1500);
  assert.ok(upstream.asked >= 2 && upstream.asked <= 3, `asked ${upstream.asked} times`);
  assert.equal(upstream.dialled.length, 1);
  assert.equal(pull.upstream, "127.0.0.1:19351");
  upstream.hasMoved = true;
  upstream.ports = [19_352];
  await upstream.advance(800);
  assert.deepEqual(upstream.dialled.slice(1), ["127.0.0.1:19352"]);
  assert.equal(read().filter((word) => word.startsWith("K")).length, 1);
  assert.equal(pull.upstream, "127.0.0.1:19352");
  pull.close();
});

Deno.test("an upstream that is silent for 5 s is left, though nobody else is known to have the stream", async () => {
  const upstream = new Upstream(["edge_play", "edge_play"]);
  const { pull } = upstream.pull("onb");
  await upstream.advance(5000);
  assert.equal(upstream.dialled.length, 1);
  await upstream.advance(700);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19351"]);
  pull.close();
});

Deno.test("a stream is pushed to SRS's origin as SRS's edge pushes it", async () => {
  const upstream = new Upstream(["edge_push"]);
  const options = upstream.options("pushed?key=x");
  const push = new StreamPush({ ...options, onBehind: () => {}, onRefused: () => {} });
  await upstream.advance(100);
  await push.ready;
  const feed = new TestFeed(options.stream);
  feed.videoHeader(0);
  feed.keyframe(0);
  await upstream.advance(100);
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "publish pushed?key=x"]);
  assert.deepEqual(upstream.servers[0]?.heard.slice(-2).map(({ typeId }) => typeId), [9, 9]);
  feed.close();
  push.close();
});

Deno.test("SRS refuses a publish by closing: the encoder is refused, and no other origin is asked to take the stream too", async () => {
  const upstream = new Upstream(["edge_push_busy", "edge_push"]);
  const options = upstream.options("onb");
  const push = new StreamPush({ ...options, onBehind: () => {}, onRefused: () => {} });
  await upstream.advance(100);
  const error = await refusal(push.ready);
  assert.equal(error.code, "remote-refused");
  assert.match(error.message, /127\.0\.0\.1:19351 refuses the stream: it closed the connection/);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351"]);
  push.close();
});
