import assert from "node:assert/strict";
import { AcceptFailures } from "../../lib/net/tcp.ts";

for (
  const [what, error, isTold] of [
    ["a peer that reset its connection", new Deno.errors.NotConnected("not connected"), false],
    ["an aborted connection", new Deno.errors.ConnectionAborted("aborted"), false],
    ["want of descriptors", Object.assign(new Error("Too many open files"), { code: "EMFILE" }), true],
    ["want of memory", Object.assign(new Error("No buffer space"), { code: "ENOBUFS" }), true],
  ] as const
) {
  Deno.test(`an accept that fails for ${what} is ${isTold ? "" : "not "}told of`, async () => {
    const told: unknown[] = [];
    await new AcceptFailures((error) => told.push(error)).add(error);
    assert.deepEqual(told, isTold ? [error] : []);
  });
}
