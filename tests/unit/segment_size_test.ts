import { equal } from "node:assert/strict";
import { SegmentSize } from "../../lib/hub/segment_size.ts";

const KIB = 1024;

/** The size for a stream that brings so much, in kilobits a second, with this many players. */
function sizeFor(kbps: number, players: number): number {
  const size = new SegmentSize();
  for (let timestamp = 0; timestamp <= 10_000; timestamp += 500) size.note(timestamp * kbps / 8, timestamp);
  return size.bytes(players);
}

Deno.test("a stream that nobody plays has small segments, whatever it brings", () => {
  equal(sizeFor(300, 0), 32 * KIB);
  equal(sizeFor(20_000, 0), 32 * KIB);
});

Deno.test("segments last about a second and a half where few play", () => {
  equal(sizeFor(300, 1), 64 * KIB);
  equal(sizeFor(1000, 15), 256 * KIB);
  equal(sizeFor(20_000, 1), 512 * KIB);
});

Deno.test("segments are larger where many play, up to a limit", () => {
  equal(sizeFor(300, 16), 512 * KIB);
  equal(sizeFor(20_000, 1000), 512 * KIB);
});

Deno.test("a segment that begins with a header of another time changes nothing", () => {
  const size = new SegmentSize();
  size.note(0, 1000);
  size.note(1_000_000, 0);
  equal(size.bytes(1), 64 * KIB);
  // Across the wrap of 32 bits.
  size.note(0, 2 ** 32 - 500);
  size.note(1_000_000, 500);
  equal(size.bytes(1), 512 * KIB);
});
