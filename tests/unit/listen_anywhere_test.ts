import assert from "node:assert/strict";
import { listenAnywhere } from "../../lib/net/listen_anywhere.ts";
import { plainAddress } from "../../lib/base/ip_address.ts";

class AddrInUse extends Error {
  override readonly name = "AddrInUse";
}

Deno.test("listenAnywhere() takes the host that is named", () => {
  assert.equal(listenAnywhere("10.0.0.1", true, (hostname) => hostname), "10.0.0.1");
});

Deno.test("listenAnywhere() takes IPv6's wildcard where it takes IPv4 too", () => {
  assert.equal(listenAnywhere(undefined, true, (hostname) => hostname), "::");
  assert.equal(listenAnywhere(undefined, false, (hostname) => hostname), "0.0.0.0");
});

Deno.test("listenAnywhere() falls back to IPv4 without IPv6, but not from a port in use", () => {
  const without = (error: Error) => (hostname: string): string => {
    if (hostname === "::") throw error;
    return hostname;
  };
  assert.equal(listenAnywhere(undefined, true, without(new Error("no IPv6"))), "0.0.0.0");
  assert.throws(() => listenAnywhere(undefined, true, without(new AddrInUse())), AddrInUse);
});

Deno.test("plainAddress() shows IPv4 as IPv4", () => {
  assert.equal(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("::1"), "::1");
  assert.equal(plainAddress("192.0.2.1"), "192.0.2.1");
});
