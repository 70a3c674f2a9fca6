import assert from "node:assert/strict";
import { newStream, readAll, TestFeed } from "../fakes/stream_peer.ts";

Deno.test("all that was there when a player joined is urgent, and nothing that comes later", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  feed.keyframe(0, 10);
  const player = stream.subscribe("rtmp", { fromGop: true });
  assert.equal(player.isUrgent, true);
  readAll(player);
  assert.equal(player.isUrgent, false);
  feed.inter(40, 10);
  assert.deepEqual([player.isBehind, player.isUrgent], [true, false]);
});

Deno.test("a round makes urgent what it did not hand out, such as what lies in the next segment", () => {
  const stream = newStream({ queueLengthMs: 5000 });
  const feed = new TestFeed(stream);
  feed.keyframe(0, 10);
  const player = stream.subscribe("rtmp", { fromGop: true });
  readAll(player);
  feed.inter(40, 40_000);
  feed.inter(80, 40_000);
  player.notify();
  player.next();
  assert.equal(player.isUrgent, true, "two messages of this size are in two segments");
  readAll(player);
  assert.equal(player.isUrgent, false);
});
