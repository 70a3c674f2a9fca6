import assert from "node:assert/strict";
import { StreamClock } from "../../lib/hub/stream_clock.ts";

const A = 8;
const V = 9;

/** type, timestamp of the feed, when it came, expected time (undefined: not for players); the kind of a new feed. */
type Step = readonly [number, number, number, number | undefined] | "restart" | "pull";

const cases: { name: string; steps: Step[] }[] = [
  {
    name: "a plain feed is left alone",
    steps: [[V, 0, 0, 0], [A, 10, 10, 10], [V, 40, 40, 40], [A, 33, 41, 33]],
  },
  {
    name: "a feed that begins late begins at 0, both tracks by the same offset",
    steps: [[V, 5_000_000, 0, 0], [A, 5_000_010, 0, 10], [V, 5_000_040, 40, 40], [A, 5_000_033, 40, 33]],
  },
  {
    name: "a feed that begins near 0 is left as it is",
    steps: [[V, 80, 0, 80], [A, 0, 0, 0], [V, 120, 40, 120]],
  },
  ...[0x1_0000_0000, 0x8000_0000].flatMap((period): { name: string; steps: Step[] }[] => {
    const wrapped = (time: number) => (time + period) % period;
    const at = (period === 0x8000_0000 ? "31" : "32") + " bits";
    return [
      {
        name: `audio that begins before 0, in ${at}, keeps its distance from the video`,
        steps: [[A, wrapped(-23), 0, 0], [V, 0, 0, 23], [A, 0, 10, 23], [V, 40, 40, 63], [A, 23, 40, 46]],
      },
      {
        name: `audio that begins half a second before 0, in ${at}`,
        steps: [[A, wrapped(-500), 0, 0], [A, wrapped(-477), 0, 23], [V, 0, 500, 500], [A, 0, 500, 500]],
      },
      {
        name: `audio that begins before the video that came first, in ${at}`,
        steps: [[V, 0, 0, 0], [A, wrapped(-500), 0, 0], [V, 40, 40, 40], [A, 20, 40, 20], [A, 43, 60, 43]],
      },
      {
        name: `a clock that wraps at ${at} soon after the beginning`,
        steps: [
          [V, wrapped(-6000), 0, 0],
          [A, wrapped(-5990), 0, 10],
          [V, wrapped(-40), 5960, 5960],
          [A, wrapped(-20), 5980, 5980],
          [V, 0, 6000, 6000],
          [A, 3, 6003, 6003],
          [V, 40, 6040, 6040],
        ],
      },
    ];
  }),
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
    steps: [[V, 5000, 0, 5000], [A, 5000, 0, 5000], [V, 0, 40, 5010], [A, 5, 40, 5015], [V, 40, 80, 5050]],
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
    steps: [[V, 1_000_000, 0, 0], [A, 0, 0, 10], [A, 23, 23, 33], [V, 1_000_040, 40, 40]],
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
    name: "a pull keeps the time of what it pulls, past 31 bits",
    steps: ["pull", [V, 0x7ffffff0, 0, 0x7ffffff0], [V, 0x80000018, 40, 0x80000018], "pull", [
      V,
      0x80000040,
      80,
      0x80000040,
    ]],
  },
  {
    name: "a pull keeps the time of what it pulls, past 32 bits, where it wraps",
    steps: [
      "pull",
      [V, 0xfffffff0, 0, 0xfffffff0],
      [A, 0x10, 32, 0x100000010],
      [V, 0x18, 40, 0x100000018],
      "pull",
      [
        V,
        0x40,
        80,
        0x100000040,
      ],
    ],
  },
  {
    name: "a pull of a stream that wraps at 31 bits goes on in 32",
    steps: ["pull", [V, 0x7ffffff0, 0, 0x7ffffff0], [V, 0x18, 40, 0x80000018], "pull", [
      V,
      0x40,
      80,
      0x80000040,
    ]],
  },
  {
    name: "a pull that comes back goes on with the same time, and with what it had not brought yet",
    steps: [
      "pull",
      [V, 900_000, 0, 900_000],
      [A, 900_005, 0, 900_005],
      "pull",
      [V, 904_000, 4000, 904_000],
      [A, 903_990, 4000, 903_990],
    ],
  },
  {
    name: "a pull of a stream that has begun anew never goes back, and keeps what is added",
    steps: [
      "pull",
      [V, 900_000, 0, 900_000],
      "pull",
      [V, 0, 2000, 900_010],
      [V, 40, 2040, 900_050],
      "pull",
      [V, 3040, 5040, 903_050],
    ],
  },
  {
    name: "a pull of a stream whose clock is far ahead does not jump there",
    steps: ["pull", [V, 1000, 0, 1000], "pull", [V, 900_000, 2000, 1010]],
  },
  {
    name:
      "an encoder in the place of a pull goes on, and a pull in its place takes the upstream's time if it can",
    steps: [
      "pull",
      [V, 50_000, 0, 50_000],
      "restart",
      [V, 0, 1000, 50_010],
      "pull",
      [V, 51_000, 2000, 51_000],
    ],
  },
];

for (const { name, steps } of cases) {
  Deno.test(`StreamClock: ${name}`, () => {
    const clock = new StreamClock();
    const given: (number | undefined)[] = [];
    for (const step of steps) {
      if (step === "restart") clock.restart("publish");
      else if (step === "pull") clock.restart("pull");
      else given.push(clock.correct(step[0], step[1], step[2]));
    }
    assert.deepEqual(given, steps.filter((step) => typeof step !== "string").map((step) => step[3]));
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
    if (random(500) === 0) clock.restart(random(2) === 0 ? "publish" : "pull");
    const typeId = random(2) === 0 ? A : V;
    const timestamp = random(10) === 0 ? random(0xffffffff) : (nowMs + random(1500)) % 0x80000000;
    const given = random(50) === 0
      ? clock.headerTime(typeId, timestamp, nowMs)
      : clock.correct(typeId, timestamp, nowMs, random(20) === 0);
    if (given === undefined) continue;
    assert.ok(given >= (last.get(typeId) ?? 0), `${i}: ${given} after ${last.get(typeId)}`);
    assert.ok(Number.isSafeInteger(given));
    last.set(typeId, given);
  }
  // A jump costs 10 ms and no more than its ten seconds: time does not run away.
  assert.ok((clock.last ?? 0) < 100_000 * 10_000);
});

Deno.test("StreamClock leaves out what a pull that broke says again", () => {
  const clock = new StreamClock();
  clock.restart("pull");
  for (const at of [60_000, 60_040, 60_080]) clock.correct(V, at, at);
  clock.correct(A, 60_070, 60_080);
  clock.restart("pull");
  const again = [[V, 60_000], [A, 60_050], [V, 60_040], [A, 60_070], [V, 60_080], [A, 60_093], [
    V,
    60_120,
  ]] as const;
  assert.deepEqual(
    again.map(([typeId, at], index) => clock.correct(typeId, at, 61_000, index === 0)),
    [undefined, undefined, undefined, undefined, undefined, 60_093, 60_120],
  );
});

Deno.test("StreamClock stamps headers with the time of what is around them, and they move no time line", () => {
  const clock = new StreamClock();
  clock.restart("publish");
  assert.equal(clock.headerTime(V, 7_000_000, 0), 0, "before anything is known");
  assert.equal(clock.correct(V, 5_000_000, 0), 0);
  assert.equal(clock.correct(V, 5_001_000, 1000), 1000);
  assert.equal(clock.headerTime(A, 5_001_010, 1000), 1010, "on the other track's line");
  assert.equal(clock.headerTime(V, 0, 1000), 1000, "an encoder that stamps its headers with 0");
  assert.equal(clock.headerTime(V, 5_001_040, 1040), 1040);
  assert.equal(clock.correct(V, 5_001_040, 1040), 1040);
  clock.restart("publish");
  assert.equal(clock.headerTime(V, 0, 5000), 1050);
  assert.equal(clock.correct(V, 80, 5000), 1050);
});
