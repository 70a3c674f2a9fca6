import assert from "node:assert/strict";
import { decodeUserControl, encodeUserControl } from "../../lib/wire/control.ts";
import { hex } from "./hex.ts";

for (
  const [body, expected] of [
    ["0006 fedcba98", { event: 6, value: 0xfedcba98 }],
    ["0106 00000001", { event: 0x106, value: 1 }],
    ["0003 00000001 00000bb8", { event: 3, value: 1 }],
    ["0007", { event: 7, value: undefined }],
    ["0006 000001", { event: 6, value: undefined }],
    ["06", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`user control '${body}' is read`, () => {
    assert.deepEqual(decodeUserControl(hex(body)), expected);
    const within = hex(`ffff ${body} ffff`);
    assert.deepEqual(
      decodeUserControl(within.subarray(2, within.length - 2)),
      expected,
      "in a larger buffer",
    );
  });
}

Deno.test("what is written as user control is read as such", () => {
  assert.deepEqual(decodeUserControl(encodeUserControl(6, 0xffffffff)), { event: 6, value: 0xffffffff });
  assert.deepEqual(decodeUserControl(encodeUserControl(3, 1, 3000)), { event: 3, value: 1 });
});
