import { deepEqual, equal } from "node:assert/strict";
import { HISTORY_SECONDS, StreamHistories } from "../../lib/app/stream_histories.ts";
import type { LiveStream } from "../../lib/hub/live_stream.ts";

/** What histories read of a stream. */
class Counted {
  feed: object | undefined = {};
  receivedBytes = 0;
  videoFrames = 0;
  keyFrames = 0;

  /** A second of 1 Mbit/s at 25 frames/s. */
  second(keyFrames: number): void {
    this.receivedBytes += 125_000;
    this.videoFrames += 25;
    this.keyFrames += keyFrames;
  }

  get stream(): LiveStream {
    return this as unknown as LiveStream;
  }
}

Deno.test("a stream's last minutes are kept, a number a second", () => {
  const histories = new StreamHistories();
  const counted = new Counted();
  equal(histories.of(counted.stream), undefined);
  for (let second = 0; second < 4; second++) {
    counted.second(second % 2);
    if (second === 2) counted.feed = undefined;
    histories.sample([counted.stream], 1_000_000_000_000 + second * 1000 + 300);
    counted.feed = {};
  }
  deepEqual(histories.of(counted.stream), {
    intervalMs: 1000,
    endMs: 1_000_000_003_000,
    kbps: [1000, 1000, null, 1000],
    fps: [25, 25, null, 25],
    keyFrames: [0, 1, null, 1],
  });
});

Deno.test("a late sample is the mean of its time, and what it left out is not known", () => {
  const histories = new StreamHistories();
  const counted = new Counted();
  histories.sample([counted.stream], 1_000_000_000_000);
  for (let second = 0; second < 4; second++) counted.second(1);
  histories.sample([counted.stream], 1_000_000_004_000);
  const history = histories.of(counted.stream);
  deepEqual(history?.kbps, [0, null, null, null, 1000]);
  deepEqual(history?.keyFrames, [0, null, null, null, 4]);
});

Deno.test("a stream's history does not grow, and a clock that is set back does not spoil it", () => {
  const histories = new StreamHistories();
  const counted = new Counted();
  for (let second = 0; second < HISTORY_SECONDS + 50; second++) {
    counted.second(0);
    histories.sample([counted.stream], 1_000_000_000_000 + second * 1000);
  }
  histories.sample([counted.stream], 999_000_000_000);
  const history = histories.of(counted.stream);
  equal(history?.kbps.length, HISTORY_SECONDS);
  equal(history?.kbps.every((value) => value === 1000), true);
});

Deno.test("a stream that comes late has a history from then on", () => {
  const histories = new StreamHistories();
  histories.sample([], 1_000_000_000_000);
  const counted = new Counted();
  counted.second(1);
  histories.sample([counted.stream], 1_000_000_001_000);
  deepEqual(histories.of(counted.stream)?.kbps, [1000]);
});
