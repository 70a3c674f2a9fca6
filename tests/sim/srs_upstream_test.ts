/**
 * Pulling from and pushing to SRS's origins, as recorded, without a socket: what a relay and an edge do with their answers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { askerWith, ReplayedUpstream } from "../fakes/replayed_upstream.ts";
import { TestFeed } from "../fakes/stream_peer.ts";

async function refusal(promise: Promise<void>): Promise<RtmpError> {
  let error: unknown;
  await promise.catch((thrown) => error = thrown);
  assert.ok(error instanceof RtmpError);
  return error;
}

const MEDIA = ["M0", "A0#18", "V0#1", "K10", "a29", "a52", "a75"];

Deno.test("a stream is pulled from SRS's origin, with its metadata, headers and key frame", async () => {
  const upstream = new ReplayedUpstream(["edge_play"]);
  const { pull, read, found } = upstream.pull(askerWith("?token=x"));
  await upstream.advance(100);
  await found;
  assert.deepEqual(read(), MEDIA);
  assert.equal(pull.upstream, "127.0.0.1:19351");
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "play s?token=x"]);
  pull.close();
});

Deno.test("metadata that can't be read costs a pull nothing else", async () => {
  const upstream = new ReplayedUpstream(["edge_play"], (bytes) => {
    const text = String.fromCharCode(...bytes).replace("onMetaData\x03", "onMetaData\x42");
    return Uint8Array.from(text, (char) => char.charCodeAt(0));
  });
  const { pull, read, found } = upstream.pull(askerWith(""));
  await upstream.advance(100);
  await found;
  assert.deepEqual(read(), MEDIA.slice(1));
  assert.equal(upstream.dialled.length, 1);
  pull.close();
});

Deno.test("SRS's 302 is followed to the owner, and asks it for the same stream", async () => {
  const upstream = new ReplayedUpstream(["edge_redirect", "edge_play"]);
  const { pull, read, found } = upstream.pull(askerWith("?token=x"));
  await upstream.advance(100);
  await found;
  assert.deepEqual(read(), MEDIA);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19352"]);
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "play s?token=x"]);
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
  const upstream = new ReplayedUpstream(["edge_redirect", "edge_redirect"], withoutAddress);
  const { pull, found } = upstream.pull();
  await upstream.advance(100);
  assert.equal((await refusal(found)).code, "bad-tc-url");
  assert.deepEqual(upstream.tried, ["19351 bad-tc-url", "19350 bad-tc-url"]);
  pull.close();
  const other = new ReplayedUpstream(["edge_redirect"], withoutAddress);
  const { push } = other.push(askerWith(""));
  await other.advance(100);
  assert.equal((await refusal(push.ready)).code, "bad-tc-url");
  push.close();
});

Deno.test("where SRS closes the connection, as nobody has the stream, the next origin is asked, and then again", async () => {
  const upstream = new ReplayedUpstream(["edge_nowhere", "edge_nowhere", "edge_play"]);
  const { pull, read, found } = upstream.pull();
  await upstream.advance(100);
  assert.equal((await refusal(found)).code, "connection-lost");
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19350"]);
  await upstream.advance(200);
  assert.deepEqual(upstream.dialled.slice(2), ["127.0.0.1:19351"]);
  assert.deepEqual(read(), MEDIA);
  pull.close();
});

Deno.test("SRS is silent when its publisher leaves: who has the stream now is asked, and followed at once", async () => {
  const upstream = new ReplayedUpstream(["edge_play", "edge_play"]);
  const { pull, read } = upstream.pull();
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
  assert.deepEqual(read(), ["M0", "A75#18", "V10#1"], "it is the same stream: no frame comes twice");
  assert.equal(pull.upstream, "127.0.0.1:19352");
  pull.close();
});

Deno.test("an upstream that is silent for 5 s is left, though nobody else is known to have the stream", async () => {
  const upstream = new ReplayedUpstream(["edge_play", "edge_play"]);
  const { pull } = upstream.pull();
  await upstream.advance(5000);
  assert.equal(upstream.dialled.length, 1);
  await upstream.advance(700);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351", "127.0.0.1:19351"]);
  pull.close();
});

Deno.test("a stream is pushed to SRS's origin as SRS's edge pushes it", async () => {
  const upstream = new ReplayedUpstream(["edge_push"]);
  const { push, stream } = upstream.push(askerWith("?key=x"));
  await upstream.advance(100);
  await push.ready;
  const feed = new TestFeed(stream);
  feed.videoHeader(0);
  feed.keyframe(0);
  await upstream.advance(100);
  assert.deepEqual(upstream.commands(), ["connect", "createStream", "publish s?key=x"]);
  assert.deepEqual(upstream.servers[0]?.heard.slice(-2).map(({ typeId }) => typeId), [9, 9]);
  feed.close();
  push.close();
});

Deno.test("a push sends nothing of the feed that was here before its publisher, such as a pull that is about to end", async () => {
  const upstream = new ReplayedUpstream(["edge_push"]);
  const { push, stream } = upstream.push(askerWith(""));
  const pulled = new TestFeed(stream, "pull", "pull");
  pulled.videoHeader(0, 1);
  pulled.keyframe(4000, 500);
  await upstream.advance(100);
  await push.ready;
  pulled.inter(4040);
  const feed = new TestFeed(stream);
  feed.videoHeader(0, 2);
  feed.keyframe(0, 20);
  await upstream.advance(100);
  const sent = upstream.servers[0]?.heard.filter(({ typeId }) => typeId === 9) ?? [];
  assert.deepEqual(sent.map(({ payload }) => payload.length), [6, 20]);
  assert.equal(sent[0]?.payload.at(-1), 2, "its own header");
  feed.close();
  push.close();
});

Deno.test("SRS refuses a publish by closing: the encoder is refused, and no other origin is asked to take the stream too", async () => {
  const upstream = new ReplayedUpstream(["edge_push_busy", "edge_push"]);
  const { push } = upstream.push(askerWith(""));
  await upstream.advance(100);
  const error = await refusal(push.ready);
  assert.equal(error.code, "remote-refused");
  assert.match(error.message, /127\.0\.0\.1:19351 refused the stream: it closed the connection/);
  assert.deepEqual(upstream.dialled, ["127.0.0.1:19351"]);
  push.close();
});
