import assert from "node:assert/strict";
import { StreamClock } from "../../lib/hub/stream_clock.ts";

const A = 8;
const V = 9;

/** type, timestamp of the feed, when it came, expected time; "restart" for a new feed. */
type Step = readonly [number, number, number, number] | "restart";

const cases: { name: string; steps: Step[] }[] = [
  {
    name: "a plain feed is left alone",
    steps: [[V, 0, 0, 0], [A, 10, 10, 10], [V, 40, 40, 40], [A, 33, 41, 33]],
  },
  {
    name: "a feed that begins late keeps its time",
    steps: [[V, 5_000_000, 0, 5_000_000], [A, 5_000_010, 0, 5_000_010]],
  },
  {
    name: "small steps back are held for their track alone",
    steps: [[V, 1000, 0, 1000], [A, 1000, 0, 1000], [V, 900, 10, 1000], [A, 1020, 10, 1020], [
      V,
      1040,
      40,
      1040,
    ]],
  },
  {
    name: "a low frame rate and long pauses keep their gaps",
    steps: [[V, 0, 0, 0], [V, 8_000, 8_000, 8_000], [V, 308_000, 308_000, 308_000], [
      V,
      340_000,
      338_000,
      340_000,
    ]],
  },
  {
    name: "faster than real time is no jump while it is less than ten seconds a step",
    steps: [[V, 0, 0, 0], [V, 10_000, 0, 10_000], [V, 20_000, 1, 20_000]],
  },
  {
    name: "a jump ahead is closed, and the other track follows it",
    steps: [
      [V, 1000, 0, 1000],
      [A, 1000, 0, 1000],
      [V, 500_000, 40, 1010],
      [A, 500_000, 40, 1010],
      [V, 500_040, 80, 1050],
      [A, 500_023, 80, 1033],
    ],
  },
  {
    name: "a jump back is closed too",
    steps: [[V, 500_000, 0, 500_000], [A, 500_000, 0, 500_000], [V, 0, 40, 500_010], [A, 5, 40, 500_015], [
      V,
      40,
      80,
      500_050,
    ]],
  },
  {
    name: "a file that is played in a loop",
    steps: [[V, 0, 0, 0], [V, 6000, 6000, 6000], [V, 0, 6040, 6010], [V, 40, 6080, 6050], [
      V,
      6000,
      12_040,
      12_010,
    ], [V, 0, 12_080, 12_020]],
  },
  {
    name: "tracks that begin far apart are put on one line",
    steps: [[V, 1_000_000, 0, 1_000_000], [A, 0, 0, 1_000_010], [A, 23, 23, 1_000_033], [
      V,
      1_000_040,
      40,
      1_000_040,
    ]],
  },
  {
    name: "a new feed goes on where the last one ended, both tracks by the same offset",
    steps: [
      [V, 9_000, 0, 9_000],
      [A, 9_010, 10, 9_010],
      "restart",
      [A, 0, 5000, 9_020],
      [V, 30, 5030, 9_050],
      [A, 23, 5040, 9_043],
    ],
  },
  {
    name: "a track of a new feed that begins earlier than the other is held at its last time",
    steps: [
      [V, 9_000, 0, 9_000],
      [A, 8_990, 0, 8_990],
      "restart",
      [V, 800, 5000, 9_010],
      [A, 0, 5000, 8_990],
      [A, 790, 5000, 9_000],
    ],
  },
  {
    name: "a new feed with later timestamps goes on in the same way",
    steps: [[V, 100, 0, 100], "restart", [V, 7_000_000, 5000, 110], [V, 7_000_040, 5040, 150]],
  },
  {
    name: "feeds that send nothing do not move time",
    steps: [[V, 100, 0, 100], "restart", "restart", [V, 0, 9000, 110], "restart", [V, 0, 9999, 120]],
  },
  { name: "a first restart changes nothing", steps: ["restart", [V, 777, 0, 777]] },
  {
    name: "wrap at 2^31",
    steps: [[V, 0x7ffffff0, 0, 0x7ffffff0], [A, 0x7ffffff8, 0, 0x7ffffff8], [V, 0x18, 40, 0x80000018], [
      A,
      0,
      40,
      0x80000000,
    ], [V, 0x40, 80, 0x80000040]],
  },
  {
    name: "wrap at 2^32",
    steps: [[V, 0xfffffff0, 0, 0xfffffff0], [V, 0x18, 40, 0x100000018], [V, 0x40, 80, 0x100000040]],
  },
  {
    name: "a step back over the wrap is a small step back",
    steps: [[V, 0x7ffffff0, 0, 0x7ffffff0], [V, 8, 24, 0x80000008], [V, 0x7fffffff, 30, 0x80000008], [
      V,
      0x30,
      64,
      0x80000030,
    ]],
  },
];

for (const { name, steps } of cases) {
  Deno.test(`StreamClock: ${name}`, () => {
    const clock = new StreamClock();
    const given: (number | string)[] = [];
    for (const step of steps) {
      if (step === "restart") clock.restart();
      else given.push(clock.correct(step[0], step[1], step[2]));
    }
    assert.deepEqual(given, steps.filter((step) => step !== "restart").map((step) => step[3]));
  });
}

Deno.test("StreamClock never goes back for a track, whatever comes", () => {
  let state = 1;
  const random = (below: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  const clock = new StreamClock();
  const last = new Map<number, number>();
  let nowMs = 0;
  for (let i = 0; i < 100_000; i++) {
    nowMs += random(100);
    if (random(500) === 0) clock.restart();
    const typeId = random(2) === 0 ? A : V;
    const timestamp = random(10) === 0 ? random(0xffffffff) : (nowMs + random(1500)) % 0x80000000;
    const given = clock.correct(typeId, timestamp, nowMs);
    assert.ok(given >= (last.get(typeId) ?? 0), `${i}: ${given} after ${last.get(typeId)}`);
    assert.ok(Number.isSafeInteger(given));
    last.set(typeId, given);
  }
  // A jump costs 10 ms and no more than its ten seconds: time does not run away.
  assert.ok((clock.last ?? 0) < 100_000 * 10_000);
});
