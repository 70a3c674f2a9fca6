/**
 * Whom a pull speaks for, and how often it tries what fails.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { LogRecords } from "../fakes/log_records.ts";
import { askerWith, ReplayedUpstream } from "../fakes/replayed_upstream.ts";
import { commandOf } from "../fakes/session_peer.ts";
import { isHandshake, srsExchange } from "../fixtures/srs.ts";

/** One origin. */
function upstreamOf(...names: ConstructorParameters<typeof ReplayedUpstream>[0]): ReplayedUpstream {
  const upstream = new ReplayedUpstream(names);
  upstream.ports = [19_351];
  return upstream;
}

const GOOD = askerWith("?token=good");
const BAD = askerWith("?token=bad");

Deno.test("a client whom the origin refuses keeps nobody out: each wait is answered by a search of its own", async () => {
  const upstream = upstreamOf("edge_nowhere", "edge_play");
  const { pull, found } = upstream.pull(BAD);
  const others = [upstream.wait(pull, GOOD), upstream.wait(pull, GOOD)];
  await upstream.advance(100);
  await assert.rejects(found, RtmpError);
  await Promise.all(others);
  assert.deepEqual(upstream.servers.map((_, index) => upstream.commands(index).at(-1)), [
    "play s?token=bad",
    "play s?token=good",
  ]);
  pull.close();
});

Deno.test("who comes while a search fails is not told of that failure", async () => {
  const upstream = upstreamOf("edge_nowhere", "edge_play");
  const { pull, found } = upstream.pull(GOOD);
  await Promise.resolve();
  await Promise.resolve();
  const late = upstream.wait(pull, GOOD);
  await upstream.advance(100);
  await assert.rejects(found, RtmpError);
  await late;
  pull.close();
});

Deno.test("players who just wait are spoken for in turn, a new one soon", async () => {
  const upstream = upstreamOf("edge_nowhere", "edge_nowhere", "edge_nowhere", "edge_nowhere", "edge_play");
  const { pull } = upstream.pull(BAD);
  await upstream.advance(12_000);
  const before = upstream.dialled.length;
  pull.add(GOOD);
  await upstream.advance(250);
  assert.equal(upstream.dialled.length, before + 1);
  assert.equal(
    upstream.commands(before).at(-1) ?? "none left",
    before < 5 ? "play s?token=good" : "none left",
  );
  pull.close();
});

Deno.test("a stream that nobody has is looked for more and more seldom, to once in 5 s, and logged once", async () => {
  using log = new LogRecords();
  const upstream = upstreamOf(...Array<"edge_nowhere">(100).fill("edge_nowhere"));
  const { pull } = upstream.pull();
  await upstream.advance(25_000);
  const before = upstream.dialled.length;
  assert.ok(before <= 14, `${before} searches in 25 s`);
  await upstream.advance(60_000);
  assert.equal(upstream.dialled.length - before, 12);
  assert.deepEqual(log.lines, ["info Stream not found; still searching"]);
  // There is one more place to look.
  pull.hurry();
  await upstream.advance(250);
  assert.equal(upstream.dialled.length - before, 13);
  // It has been published somewhere.
  pull.wake();
  await upstream.advance(1000);
  assert.equal(upstream.dialled.length - before, 13 + 6);
  pull.close();
  assert.equal(upstream.clock.pending, 0);
});

Deno.test("while nobody can be reached, whether one can be is looked at each second", async () => {
  const upstream = upstreamOf();
  const { pull } = upstream.pull();
  await upstream.advance(30_000);
  const before = upstream.dialled.length;
  await upstream.advance(10_000);
  assert.equal(upstream.dialled.length - before, 10);
  pull.close();
});

/** Chunk size 0, which no peer may set. */
const BROKEN = Uint8Array.of(2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0);

/** SRS's words, and after its last ones something that breaks the protocol. */
function breaking(): (bytes: Uint8Array) => Uint8Array {
  const words = srsExchange("edge_play").filter((message) =>
    !isHandshake(message) && message.from === "server"
  );
  const last = words.at(-1)?.bytes.join();
  return (bytes) => bytes.join() === last ? Uint8Array.of(...bytes, ...BROKEN) : bytes;
}

Deno.test("an upstream that sends what can't be read costs its connection; it is tried more and more seldom, and told of once", async () => {
  using log = new LogRecords();
  const upstream = new ReplayedUpstream(Array(40).fill("edge_play"), breaking());
  upstream.ports = [19_351];
  const { pull } = upstream.pull();
  await upstream.advance(60_000);
  assert.ok(upstream.dialled.length <= 20, `dialled ${upstream.dialled.length} times in 60 s`);
  assert.ok(upstream.dialled.length >= 12);
  assert.deepEqual(log.lines, [
    "info Pull started",
    "warning Pull ended right after it started; retrying",
  ]);
  pull.close();
});

Deno.test("a push that breaks as soon as it began is tried more and more seldom, and told of once", async () => {
  using log = new LogRecords();
  const closing = Array(40).fill("edge_push");
  const upstream = new ReplayedUpstream(
    closing,
    (bytes) =>
      String.fromCharCode(...bytes).includes("Publish.Start") ? Uint8Array.of(...bytes, ...BROKEN) : bytes,
  );
  upstream.ports = [19_351];
  const { push } = upstream.push(GOOD);
  await upstream.advance(60_000);
  assert.ok(upstream.dialled.length <= 20, `dialled ${upstream.dialled.length} times in 60 s`);
  assert.deepEqual(log.lines, [
    "info Push started",
    "warning Push ended right after it started; retrying",
  ]);
  push.close();
});

Deno.test("a pull hands on its mark and those of the nodes that wait for it, and no more than 64", async () => {
  const upstream = upstreamOf("edge_play", "edge_play");
  const { pull } = upstream.pull(askerWith("", ["leaf"]));
  pull.add(askerWith("", ["other", "leaf"]));
  const leave = pull.add(askerWith("", Array.from({ length: 100 }, (_, index) => `junk${index}`)));
  const routes = () =>
    upstream.servers.flatMap(({ heard }) => heard.map(commandOf)).filter((command) =>
      command?.name === "connect"
    )
      .map((command) => command?.arguments[0])
      .map((given) =>
        given instanceof Amf0Object ? given.getString("headwater_route")?.split(",") : undefined
      );
  await upstream.advance(100);
  const [first] = routes();
  assert.equal(first?.length, 64);
  assert.deepEqual(first?.slice(0, 5), ["mark", "leaf", "other", "junk0", "junk1"]);
  leave();
  await upstream.advance(6000);
  assert.deepEqual(routes()[1], ["mark", "leaf", "other"]);
  pull.close();
});

Deno.test("a fault while targets are looked up ends the push with a reason, and nothing else", async () => {
  using log = new LogRecords();
  for (const isAccepted of [false, true]) {
    const upstream = new ReplayedUpstream(["edge_push"]);
    upstream.ports = [19_351];
    const refused: RtmpError[] = [];
    const fail = () =>
      Object.defineProperty(upstream, "ports", {
        get: () => {
          throw new TypeError("ports");
        },
      });
    if (!isAccepted) fail();
    const { push } = upstream.push(GOOD, (reason) => refused.push(reason));
    if (isAccepted) {
      await upstream.advance(1500);
      await push.ready;
      fail();
    }
    upstream.servers[0]?.end();
    await upstream.advance(1000);
    if (!isAccepted) await assert.rejects(push.ready, /Cannot push '\/live\/s': ports/);
    assert.equal(refused.length, isAccepted ? 1 : 0);
    assert.equal(upstream.clock.pending, 0);
  }
  assert.equal(log.lines.filter((line) => line === "error Push ended: internal error").length, 2);
});

/** Sends on to the address that it has. */
function redirecting(bytes: Uint8Array): Uint8Array {
  // A publisher is not told that it plays.
  const text = String.fromCharCode(...bytes).replaceAll("NetStream.Play.Start", "NetStream.Play.Reset");
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("a push follows three redirects, and says so when there is a fourth", async () => {
  const upstream = new ReplayedUpstream(Array(4).fill("edge_redirect"), redirecting);
  upstream.ports = [19_351];
  const { push } = upstream.push(GOOD);
  await upstream.advance(500);
  await assert.rejects(push.ready, /Cannot follow more than 3 redirects from rtmp:\/\/127.0.0.1:19351\/live/);
  assert.equal(upstream.dialled.length, 4);
  push.close();
});
