import assert from "node:assert/strict";
import { recordingPath } from "../../lib/outputs/recording/recording_path.ts";

const WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

function path(template: string, values: { vhost?: string; app?: string; stream?: string } = {}): string {
  return recordingPath(template, {
    vhost: "v",
    app: "live",
    stream: "cam1",
    wallMs: WALL_MS,
    isUtc: true,
    ...values,
  }).path;
}

for (
  const [template, expected] of [
    [
      "/data/[vhost]/[app]/[stream]-[2006][01][02]-[15][04][05].[999].flv",
      "/data/v/live/cam1-20260102-030405.006.flv",
    ],
    ["/data/[stream].[timestamp].flv", `/data/cam1.${WALL_MS}.flv`],
    ["/data/[app]/", `/data/live/cam1.${WALL_MS}.flv`],
    ["./data/one.flv", "./data/one.flv"],
    ["[stream].flv", "cam1.flv"],
    ["/data/[nothing]/[stream].flv", "/data/[nothing]/cam1.flv"],
  ] as const
) {
  Deno.test(`dvr_path ${template} is ${expected}`, () => assert.equal(path(template), expected));
}

for (
  const [stream, expected] of [
    ["../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"],
    ["..", "%2E%2E"],
    [".", "%2E"],
    [".hidden", "%2Ehidden"],
    ["%2e%2e", "%252e%252e"],
    ["a\u0000b\n", "a%00b%0A"],
    ["CON", "%43ON"],
    ["nul.txt", "%6Eul.txt"],
    ["console", "console"],
    ["a\\b:c*?", "a%5Cb%3Ac%2A%3F"],
    ["end. ", "end.%20"],
    ["[timestamp]", "[timestamp]"],
    ["Kamera Süd", "Kamera Süd"],
  ] as const
) {
  Deno.test(`a stream called ${JSON.stringify(stream)} is a file called ${expected}.flv`, () => {
    assert.equal(path("/data/[stream].flv", { stream }), `/data/${expected}.flv`);
  });
}

Deno.test("an app may have folders, none of which leads up", () => {
  assert.equal(path("/data/[app]/a.flv", { app: "a/../b//c" }), "/data/a/%2E%2E/b/c/a.flv");
});

Deno.test("long names are cut, and still tell one stream from another", () => {
  const names = ["x".repeat(500), `${"x".repeat(499)}y`, "ü".repeat(300)].map((stream) =>
    path("/data/[app]-[stream].flv", { stream, app: "a".repeat(190) }).slice("/data/".length)
  );
  for (const name of names) {
    assert.ok(new TextEncoder().encode(name).length <= 240, name);
    assert.match(name, /\.flv$/);
  }
  assert.equal(new Set(names).size, 3);
});

Deno.test("the root is what stands before the first variable", () => {
  const root = (template: string) =>
    recordingPath(template, { vhost: "v", app: "a", stream: "s", wallMs: 0, isUtc: true }).root;
  assert.deepEqual(["/data/rec/[app]/x.flv", "/[app].flv", "[app].flv", "./a/b.flv"].map(root), [
    "/data/rec",
    "/",
    ".",
    "./a",
  ]);
});
