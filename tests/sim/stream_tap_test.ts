import { deepEqual, equal } from "node:assert/strict";
import type { StreamTap } from "../../lib/hub/stream_tap.ts";
import { StreamHub } from "../../lib/hub/stream_hub.ts";
import { newStream, TEST_STREAM_OPTIONS, TestFeed } from "../fakes/stream_peer.ts";

/** Notes what it is told: type, stream time, feed time, and `k` for a key frame, `h` for a header. */
function noting(): StreamTap & { readonly words: string[] } {
  const words: string[] = [];
  return {
    words,
    message: ({ typeId, timestamp, feedTimestamp, info }) => {
      const mark = info?.isSequenceHeader === true ? "h" : info?.isKeyframe === true ? "k" : "";
      words.push(`${typeId} ${timestamp}/${feedTimestamp}${mark}`);
    },
    feed: (feed) => words.push(feed?.kind ?? "none"),
  };
}

Deno.test("a tap is told of every message once, in order, with the stream's time and the feed's", () => {
  const stream = newStream();
  const feed = new TestFeed(stream, "one", "pull");
  feed.videoHeader(0);
  feed.keyframe(0);
  const tap = noting();
  const untap = stream.tap(tap);
  feed.inter(40);
  feed.metadata({ width: 2 }, 50);
  feed.close();
  const next = new TestFeed(stream, "two");
  next.videoHeader(0);
  next.keyframe(0);
  next.audio(20);
  untap();
  next.inter(40);
  deepEqual(tap.words, [
    "9 40/40",
    "18 0/50",
    "none",
    "publish",
    "9 50/0h",
    "9 50/0k",
    "8 70/20",
  ]);
});

Deno.test("what a feed sends that players are not given is not told to a tap", () => {
  const stream = newStream();
  const feed = new TestFeed(stream);
  const tap = noting();
  stream.tap(tap);
  feed.write(18, 0, Uint8Array.of(2, 0, 10, ...new TextEncoder().encode("onMetaData"), 99));
  deepEqual(tap.words, []);
});

Deno.test("headers in force are there for a tap though players are not to get them", () => {
  const stream = newStream({ metadata: false, sequenceHeaders: false });
  const feed = new TestFeed(stream);
  feed.videoHeader(0, 1);
  feed.audioHeader(0, 2);
  feed.metadata();
  deepEqual(stream.headersInForce().map(({ typeId }) => typeId), [18, 8, 9]);
});

Deno.test("a hub keeps a stream that is tapped", () => {
  const hub = new StreamHub(() => {});
  const stream = hub.open("/live/s", () => TEST_STREAM_OPTIONS);
  const untap = stream.tap(noting());
  equal(hub.release(stream), false);
  untap();
  equal(hub.release(stream), true);
});
