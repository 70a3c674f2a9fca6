import assert from "node:assert/strict";
import { editDistance, nearestName } from "../../lib/config/nearest_name.ts";

const KNOWN = [
  "listen",
  "pid",
  "chunk_size",
  "max_connections",
  "gop_cache",
  "gop_cache_max_frames",
  "http_api",
];

const cases: { written: string; meant: string | undefined }[] = [
  { written: "lisetn", meant: "listen" },
  { written: "listens", meant: "listen" },
  { written: "LISTEN", meant: "listen" },
  { written: "pdi", meant: "pid" },
  { written: "max_conections", meant: "max_connections" },
  { written: "max_conn", meant: "max_connections" },
  { written: "gop_cach", meant: "gop_cache" },
  { written: "httpapi", meant: "http_api" },
  // Two begin with it.
  { written: "gop", meant: undefined },
  { written: "x", meant: undefined },
  { written: "", meant: undefined },
  { written: "port", meant: undefined },
  { written: "events", meant: undefined },
  { written: "worker_processes", meant: undefined },
  { written: "chunk_size".repeat(100), meant: undefined },
];

for (const { written, meant } of cases) {
  Deno.test(`nearestName: '${written.slice(0, 20)}' is meant for ${meant ?? "none"}`, () => {
    assert.equal(nearestName(written, KNOWN), meant);
  });
}

Deno.test("editDistance counts insertions, deletions, substitutions and swaps", () => {
  const distances: [string, string, number][] = [
    ["", "", 0],
    ["", "ab", 2],
    ["ab", "", 2],
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["abcd", "acbd", 1],
    ["ca", "abc", 3],
  ];
  for (const [from, to, expected] of distances) {
    assert.equal(editDistance(from, to), expected, `${from} ${to}`);
  }
});
