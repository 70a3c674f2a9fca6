import assert from "node:assert/strict";
import { playedNames } from "../../lib/base/stream_names.ts";

const CASES: readonly (readonly [name: string, names: readonly string[]])[] = [
  ["cam", ["cam"]],
  ["", [""]],
  ["?token=x", ["?token=x"]],
  ["cam?url=mp4:x%20y", ["cam?url=mp4:x%20y"]],
  ["mp4:cam?token=%20", ["mp4:cam?token=%20", "cam?token=%20"]],
  ["flv:room/cam", ["flv:room/cam", "room/cam"]],
  ["mp4:", ["mp4:"]],
  ["cam.mp4", ["cam.mp4", "mp4:cam.mp4"]],
  ["cam.f4v?k=v", ["cam.f4v?k=v", "mp4:cam.f4v?k=v"]],
  ["mp4:cam.mp4", ["mp4:cam.mp4", "cam.mp4"]],
  ["my%20cam", ["my%20cam", "my cam"]],
  ["mp4:my%20cam", ["mp4:my%20cam", "my%20cam", "mp4:my cam", "my cam"]],
  // What would be other segments, or parameters, or is no text, is as it is.
  ["a%2Fb", ["a%2Fb"]],
  ["a%3Fb", ["a%3Fb"]],
  ["8%XjU", ["8%XjU"]],
  ["%E0", ["%E0"]],
];

for (const [name, names] of CASES) {
  Deno.test(`a player of '${name}' may mean ${names.join(", ")}`, () =>
    assert.deepEqual(playedNames(name), names));
}
