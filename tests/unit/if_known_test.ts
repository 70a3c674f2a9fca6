import assert from "node:assert/strict";
import { ifKnown } from "../../lib/app/if_known.ts";

Deno.test("a machine that does not tell something costs that fact and no more", () => {
  assert.equal(ifKnown(() => 5), 5);
  for (
    const error of [
      new Deno.errors.NotCapable("a"),
      new Deno.errors.PermissionDenied("b"),
      new Error("os error 38"),
    ]
  ) {
    assert.equal(
      ifKnown(() => {
        throw error;
      }),
      undefined,
    );
  }
});
