// deno-lint-ignore-file camelcase -- names of the configuration
import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import type { LocalPlay, PlayDecision, StreamRouter } from "../../lib/server/stream_router.ts";
import type { OtherRouter } from "../fakes/test_server.ts";
import {
  AAC_HEADER,
  audioFrame,
  AVC_HEADER,
  type FlvFeed,
  FlvNode,
  FlvResponse,
  videoFrame,
} from "../fakes/flv_peer.ts";
import { settle } from "../fakes/fake_clock.ts";

const AUDIO = 8;
const VIDEO = 9;

function sendAudio(node: FlvNode, feed: FlvFeed, ...times: number[]): void {
  for (const timestamp of times) {
    feed.write({ typeId: AUDIO, timestamp, payload: audioFrame() }, node.clock.now());
  }
}

function sendHeaders(node: FlvNode, feed: FlvFeed, ...typeIds: number[]): void {
  for (const typeId of typeIds) {
    feed.write(
      { typeId, timestamp: 0, payload: typeId === AUDIO ? AAC_HEADER : AVC_HEADER },
      node.clock.now(),
    );
  }
}

function sendVideo(
  node: FlvNode,
  feed: FlvFeed,
  isKeyframe: boolean,
  timestamp: number,
  size?: number,
): void {
  feed.write({ typeId: VIDEO, timestamp, payload: videoFrame(isKeyframe, size) }, node.clock.now());
}

function publishBoth(node: FlvNode, key: string = "/live/a"): FlvFeed {
  const feed = node.publish(key);
  sendHeaders(node, feed, AUDIO, VIDEO);
  sendVideo(node, feed, true, 0);
  sendAudio(node, feed, 10);
  sendVideo(node, feed, false, 40);
  return feed;
}

function withRouter(admitPlay: StreamRouter["admitPlay"]): FlvNode {
  return new FlvNode(undefined, { router: () => ({ admitPlay }) });
}

/** Plays of a lone origin, edited. */
function withPlays(edit: (local: LocalPlay) => LocalPlay): FlvNode {
  const router: OtherRouter = ({ admitPlay }) => ({
    admitPlay: async (request) => {
      const decision = await admitPlay(request);
      assert.ok(decision.kind === "local");
      return edit(decision);
    },
  });
  return new FlvNode(undefined, { router });
}

/** Counts how often a play is released. */
function counted(local: LocalPlay, onRelease: () => void): LocalPlay {
  const release = () => {
    onRelease();
    local.release();
  };
  return { ...local, release };
}

Deno.test("a player gets the header, the codec headers, the group of pictures and what follows", async () => {
  const node = new FlvNode();
  const feed = publishBoth(node);
  const player = await node.play("/live/a.flv");
  assert.equal(player.response.status, 200);
  assert.equal(player.flags, 5);
  assert.deepEqual(player.shape, ["8@0", "9@0", "9@0", "8@10", "9@40"]);
  sendVideo(node, feed, false, 80);
  await player.read();
  assert.deepEqual(player.shape.slice(5), ["9@80"]);
  await player.leave();
});

Deno.test("the headers of a stream say what it is and that nobody may keep it", async () => {
  const node = new FlvNode();
  publishBoth(node);
  const { headers, body } = await node.request("/live/a.flv", { headers: { Origin: "http://elsewhere" } });
  assert.equal(headers.get("Content-Type"), "video/x-flv");
  assert.equal(headers.get("Cache-Control"), "no-store");
  assert.equal(headers.get("Server"), "Headwater/0.0.0");
  assert.equal(headers.get("Access-Control-Allow-Origin"), "*");
  await body?.cancel();
});

for (
  const [what, typeIds, flags] of [["audio", [AUDIO], 4], ["video", [VIDEO], 1]] as const
) {
  Deno.test(`the header of a new stream that has only ${what} says so a second later`, async () => {
    const node = new FlvNode();
    const feed = node.publish("/live/a");
    const response = node.request("/live/a.flv");
    await settle();
    sendHeaders(node, feed, ...typeIds);
    if (what === "audio") sendAudio(node, feed, 10);
    else sendVideo(node, feed, true, 10);
    await node.clock.advance(999);
    assert.equal(node.runtime.counters.clientsTotal, 0);
    await node.clock.advance(1);
    const player = await FlvResponse.from(await response);
    assert.equal(player.flags, flags);
    assert.equal(player.tags.length, 2);
    await player.leave();
  });

  Deno.test(`the header of a stream that has long had only ${what} is known at once`, async () => {
    const node = new FlvNode();
    const feed = node.publish("/live/a");
    sendHeaders(node, feed, ...typeIds);
    await node.clock.advance(5000);
    const player = await node.play("/live/a.flv");
    assert.equal(player.flags, flags);
    await player.leave();
  });
}

/** A stream with audio and a player who was told so, before video comes. */
async function playAudioOnly(headers: Record<string, string>): Promise<[FlvNode, FlvFeed, FlvResponse]> {
  const node = new FlvNode();
  const feed = node.publish("/live/a");
  sendHeaders(node, feed, AUDIO);
  sendAudio(node, feed, 0);
  await node.clock.advance(1000);
  const player = await FlvResponse.from(await node.request("/live/a.flv", { headers }));
  assert.equal(player.flags, 4);
  return [node, feed, player];
}

/** What browsers send of a page's request: of another site's, over HTTPS, and of the server's own over plain HTTP. */
const PAGE_HEADERS = [["Origin", "http://a.example"], ["Sec-Fetch-Mode", "cors"], [
  "Referer",
  "http://localhost/",
]] as const;
for (const [name, value] of PAGE_HEADERS) {
  Deno.test(`a kind of media that the header did not announce ends the play of a page with ${name}`, async () => {
    const [node, feed, player] = await playAudioOnly({ [name]: value });
    sendHeaders(node, feed, VIDEO);
    sendVideo(node, feed, true, 20);
    await player.read();
    assert.equal(player.isEnded, true);
    assert.ok(player.tags.every(({ typeId }) => typeId === AUDIO), player.shape.join());
    assert.equal(node.runtime.counters.errors.get("media-changed"), 1);
    assert.equal(node.server.clients.size, 0);
    const again = await node.play("/live/a.flv");
    assert.equal(again.flags, 5);
    await again.leave();
  });
}

Deno.test("a kind of media that the header did not announce reaches players that are no page", async () => {
  const [node, feed, player] = await playAudioOnly({});
  sendHeaders(node, feed, VIDEO);
  sendVideo(node, feed, true, 20);
  sendAudio(node, feed, 30);
  await player.read();
  assert.deepEqual(player.shape.slice(-3), ["9@0", "9@20", "8@30"]);
  await player.leave();
});

Deno.test("the next publisher's kinds of media are told as well", async () => {
  const [node, feed, player] = await playAudioOnly({ "Sec-Fetch-Mode": "cors" });
  feed.close();
  const next = node.publish("/live/a");
  sendHeaders(node, next, AUDIO);
  await player.read();
  assert.equal(player.isEnded, false);
  sendHeaders(node, next, VIDEO);
  await player.read();
  assert.equal(player.isEnded, true);
});

Deno.test("the header's flags can be configured instead of guessed", async () => {
  const remux = { guess_has_av: false, has_video: false, drop_if_not_match: true };
  const node = new FlvNode({ __defaultVhost__: { http_remux: remux } });
  publishBoth(node);
  const player = await node.play("/live/a.flv");
  assert.equal(player.flags, 4);
  assert.deepEqual(player.shape, ["8@0", "8@10"]);
  await player.leave();
});

Deno.test("a request waits for its stream", async () => {
  const node = new FlvNode();
  const response = node.request("/live/a.flv");
  await node.clock.advance(9000);
  assert.equal(node.server.clients.size, 1);
  publishBoth(node);
  const player = await FlvResponse.from(await response);
  assert.equal(player.response.status, 200);
  assert.deepEqual(player.shape, ["8@0", "9@0", "9@0", "8@10", "9@40"]);
  await player.leave();
});

Deno.test("a request for a stream that does not come is answered 404 after wait_ms", async () => {
  const node = new FlvNode({ __defaultVhost__: { http_remux: { wait_ms: 300 } } });
  const response = node.request("/live/a.flv");
  await node.clock.advance(300);
  const { status, body } = await response;
  assert.equal(status, 404);
  assert.equal((await new Response(body).json()).code, 2048);
  assert.equal(node.runtime.hub.size, 0);
  assert.equal(node.server.clients.size, 0);
  assert.equal(node.clock.pending, 0);
});

Deno.test("a refusal of the router is answered at once", async () => {
  const node = withRouter(() =>
    Promise.reject(new RtmpError("stream-not-found", "Cannot play '/live/a': no node has it"))
  );
  const response = await node.request("/live/a.flv");
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { code: 2048, message: "Cannot play '/live/a': no node has it" });
  assert.equal(node.server.clients.size, 0);
});

Deno.test("a redirect of the router becomes a 302 to the FLV of the same stream there", async () => {
  const decision: PlayDecision = {
    kind: "redirect",
    tcUrl: "rtmp://192.0.2.1:19351/a/b",
    url: "rtmp://192.0.2.1:19351/a/b/s?token=x/y",
  };
  const node = withRouter(() => Promise.resolve(decision));
  const response = await node.request("/a/b/s.flv?token=x/y");
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("Location"), "http://192.0.2.1:8080/a/b/s.flv?token=x/y");
  assert.equal(node.server.clients.size, 0);
});

Deno.test("a player that leaves while it waits leaves nothing behind", async () => {
  let releases = 0;
  const node = withPlays((local) => counted(local, () => releases++));
  const abort = new AbortController();
  const response = node.request("/live/a.flv", { signal: abort.signal });
  await settle();
  assert.equal(node.runtime.hub.size, 1);
  abort.abort();
  await assert.rejects(response);
  assert.equal(releases, 1);
  assert.equal(node.runtime.hub.size, 0);
  assert.equal(node.server.clients.size, 0);
  assert.equal(node.clock.pending, 0);
});

Deno.test("a player that leaves while it plays leaves nothing behind", async () => {
  let releases = 0;
  const node = withPlays((local) => counted(local, () => releases++));
  const feed = publishBoth(node);
  const player = await node.play("/live/a.flv");
  await player.leave();
  assert.equal(releases, 1);
  assert.equal(node.server.clients.size, 0);
  assert.equal(feed.stream.playerCount, 0);
  feed.close();
  assert.equal(node.runtime.hub.release(feed.stream), true);
});

Deno.test("players stay while the publisher is away, and their time goes on", async () => {
  const node = new FlvNode();
  const first = publishBoth(node);
  const player = await node.play("/live/a.flv");
  first.close();
  await node.clock.advance(60_000);
  assert.equal(player.isEnded, false);
  const second = node.publish("/live/a");
  sendHeaders(node, second, AUDIO, VIDEO);
  sendVideo(node, second, true, 0);
  await player.read();
  assert.deepEqual(player.tags.slice(5).map(({ typeId }) => typeId), [AUDIO, VIDEO, VIDEO]);
  assert.ok((player.tags.at(-1)?.timestamp ?? 0) >= 40, player.shape.join());
  await player.leave();
});

Deno.test("a stream that stays away for longer than the router allows ends its players", async () => {
  const node = withPlays((local) => ({ ...local, waitMs: 5000 }));
  const feed = publishBoth(node);
  const player = await node.play("/live/a.flv");
  const client = [...node.server.clients.active()][0] as unknown as { tick(nowMs: number): void };
  client.tick(node.clock.now());
  feed.close();
  await node.clock.advance(5001);
  client.tick(node.clock.now());
  await player.read();
  assert.equal(player.isEnded, true);
  assert.equal(player.error, undefined);
});

Deno.test("a player is a client: it is listed, counted, kicked", async () => {
  const node = new FlvNode();
  publishBoth(node);
  const player = await node.play("/live/a.flv?token=secret");
  const [client] = node.server.clients.active();
  assert.equal(client?.type, "flv-play");
  assert.equal(client?.ip, "192.0.2.7");
  assert.equal(client?.stream?.key, "/live/a");
  assert.ok((client?.sendBytes ?? 0) > 200);
  client?.kick();
  await player.read();
  assert.equal(player.isEnded, true);
  assert.equal(player.error, undefined);
  assert.equal(node.server.clients.find(client?.id ?? ""), undefined);
  assert.equal(node.runtime.counters.errors.get("kicked"), 1);
});

Deno.test("one player too many is answered 503", async () => {
  const node = new FlvNode(undefined, { config: { max_connections: 1 } });
  publishBoth(node);
  const player = await node.play("/live/a.flv");
  assert.equal((await node.request("/live/a.flv")).status, 503);
  await player.leave();
  await node.clock.advance(1000);
  const next = await node.play("/live/a.flv");
  assert.equal(next.response.status, 200);
  await next.leave();
});

Deno.test("the end of the server ends its players, and takes no new ones", async () => {
  const node = new FlvNode();
  publishBoth(node);
  const player = await node.play("/live/a.flv");
  await node.server.stop(0);
  await player.read();
  assert.equal(player.isEnded, true);
  assert.equal(player.error, undefined);
  assert.equal((await node.request("/live/a.flv")).status, 503);
});

Deno.test("a player that does not read is given one piece, and goes on at a key frame", async () => {
  const node = new FlvNode({ __defaultVhost__: { play: { queue_length: 2 } } });
  const feed = publishBoth(node);
  const response = await node.request("/live/a.flv");
  const [client] = node.server.clients.active();
  const sentBytes = client?.sendBytes;
  for (let timestamp = 40; timestamp < 20_000; timestamp += 40) {
    await node.clock.advance(40);
    sendVideo(node, feed, timestamp % 1000 === 0, timestamp, 10_000);
  }
  assert.equal(client?.sendBytes, sentBytes);
  const player = await FlvResponse.from(response);
  assert.equal(client?.jumps, 1);
  const key = player.tags.findIndex(({ timestamp }) => timestamp > 1000);
  assert.equal(player.tags[key]?.payload[0], 0x17);
  assert.ok((player.tags[key]?.timestamp ?? 0) >= 17_000, player.shape.join());
  await player.leave();
});

Deno.test("a player that takes nothing for send_timeout_ms is cut off", async () => {
  const node = new FlvNode(undefined, { config: { limits: { send_timeout_ms: 1000 } } });
  publishBoth(node);
  const response = await node.request("/live/a.flv");
  const reader = response.body?.getReader();
  await reader?.read();
  const client = [...node.server.clients.active()][0] as unknown as { tick(nowMs: number): void };
  client.tick(node.clock.now());
  await node.clock.advance(1001);
  client.tick(node.clock.now());
  assert.equal((await reader?.read())?.done, true);
  assert.equal(node.server.clients.size, 0);
  assert.equal(node.runtime.counters.errors.get("send-timeout"), 1);
});

Deno.test("HEAD is answered as GET, without playing", async () => {
  const node = new FlvNode({ __defaultVhost__: { http_remux: { wait_ms: 0 } } });
  publishBoth(node);
  const there = await node.request("/live/a.flv", { method: "HEAD" });
  assert.equal(there.status, 200);
  assert.equal(there.headers.get("Content-Type"), "video/x-flv");
  assert.equal(there.body, null);
  assert.equal(node.server.clients.size, 0);
  const missing = node.request("/live/b.flv", { method: "HEAD" });
  await node.clock.advance(0);
  assert.equal((await missing).status, 404);
});

Deno.test("other methods are refused, OPTIONS as configured", async () => {
  const node = new FlvNode();
  publishBoth(node);
  const post = await node.request("/live/a.flv", { method: "POST" });
  assert.equal(post.status, 405);
  assert.equal(post.headers.get("Allow"), "GET, HEAD");
  assert.equal((await node.request("/live/a.flv", { method: "OPTIONS" })).status, 200);
  const closed = new FlvNode(undefined, { crossdomain: false });
  assert.equal((await closed.request("/live/a.flv", { method: "OPTIONS" })).status, 405);
});

Deno.test("a stream is found by nested apps, encoded names, parameters and hosts", async () => {
  const node = new FlvNode({ __defaultVhost__: {}, "a.example": {} });
  const feeds = [
    publishBoth(node, "/one/two/s"),
    publishBoth(node, "/live/täst 1".replace(" ", "")),
    publishBoth(node, "a.example/live/s"),
  ];
  for (
    const url of [
      "/one/two/s.flv?token=x/y.flv",
      "/live/t%C3%A4st1.flv",
      "/live/s.flv?vhost=a.example",
      "/live/s.flv?domain=a.example",
      "http://a.example:8080/live/s.flv",
    ]
  ) {
    const player = await node.play(url);
    assert.equal(player.flags, 5, url);
    await player.leave();
  }
  assert.equal(feeds.every(({ stream }) => stream.playerCount === 0), true);
});

Deno.test("what can be no stream is 404 at once", async () => {
  const node = new FlvNode({ __defaultVhost__: {}, "off.example": { http_remux: { enabled: false } } });
  publishBoth(node);
  for (
    const url of [
      "/live/a",
      "/live/.flv",
      "/live/a.flv.ts",
      "http://off.example:8080/live/a.flv",
    ]
  ) {
    const response = await node.request(url);
    assert.equal(response.status, 404, url);
    assert.equal((await response.json()).code, 404, url);
  }
  await settle();
  assert.equal(node.server.clients.size, 0);
});

for (
  const [published, url] of [
    ["/live/my%20cam", "/live/my%20cam.flv"],
    ["/live/my%20cam", "/live/my%2520cam.flv"],
    ["/live/mycam", "/live/my%20cam.flv"], // RTMP drops the space
    ["/live/room#1", "/live/room%231.flv"],
    ["/live/камера", "/live/%D0%BA%D0%B0%D0%BC%D0%B5%D1%80%D0%B0.flv"],
    ["/live/%D0%BA", "/live/%D0%BA.flv"],
    ["/live/8%XjU", "/live/8%25XjU.flv"],
    ["/live/8%XjU", "/live/8%XjU.flv"],
    ["/x/a%2Fb", "/x/a%2Fb.flv"],
    ["/live/a", "/live/a.flv/"],
    ["/__defaultApp__/a", "/a.flv"],
    ["/live/mp4:cam.mp4", "/live/cam.mp4.flv"], // as FFmpeg publishes it
    ["/live/mp4:cam.mp4", "/live/mp4:cam.mp4.flv"],
    ["/live/cam.mp4", "/live/cam.mp4.flv"],
  ] as const
) {
  Deno.test(`the stream ${published} plays at ${url}`, async () => {
    const node = new FlvNode();
    publishBoth(node, published);
    const player = await node.play(url);
    assert.deepEqual([...node.runtime.hub.values()].map(({ key, playerCount }) => [key, playerCount]), [
      [published, 1],
    ]);
    await player.leave();
  });
}

Deno.test("of two streams that a path may mean each has its own path", async () => {
  const node = new FlvNode();
  publishBoth(node, "/live/room#1");
  publishBoth(node, "/live/room%231");
  const played = async (url: string) => {
    const player = await node.play(url);
    const keys = [...node.runtime.hub.values()].filter(({ playerCount }) => playerCount > 0).map(({ key }) =>
      key
    );
    await player.leave();
    return keys;
  };
  assert.deepEqual(await played("/live/room%231.flv"), ["/live/room#1"]);
  assert.deepEqual(await played("/live/room%25231.flv"), ["/live/room%231"]);
});

Deno.test("a name that only another node knows is asked for as it may be meant", async () => {
  const asked: string[] = [];
  const node = withRouter(({ key }) => {
    asked.push(key);
    if (key === "/live/my%20cam") throw new RtmpError("stream-not-found", `Cannot play '${key}': nowhere`);
    return Promise.resolve({
      kind: "redirect",
      url: "rtmp://10.0.0.1:1935/live/a#b",
      tcUrl: "rtmp://10.0.0.1/live",
    });
  });
  const response = await node.request("/live/my%20cam.flv");
  assert.deepEqual(asked, ["/live/my%20cam", "/live/mycam"]);
  assert.match(response.headers.get("Location") ?? "", /\/live\/a%23b\.flv$/);
  const other = withRouter(({ key }) => {
    throw new RtmpError("stream-not-found", `Cannot play '${key}': nowhere`);
  });
  const refusal = await (await other.request("/live/my%20cam.flv")).json();
  assert.equal(refusal.message, "Cannot play '/live/my%20cam': nowhere", "the first is what is told");
});

Deno.test("a name that is too long is refused", async () => {
  const node = new FlvNode();
  assert.equal((await node.request(`/live/${"a".repeat(600)}.flv`)).status, 400);
});

for (const tcpNoDelay of [true, false]) {
  Deno.test(`tcp_nodelay = ${tcpNoDelay} is what a player's connection over HTTP has`, async () => {
    const node = new FlvNode({ __defaultVhost__: { tcp_nodelay: tcpNoDelay } });
    publishBoth(node);
    const player = await node.play("/live/a.flv");
    assert.equal(node.connection?.noDelay, tcpNoDelay);
    await player.leave();
  });
}
