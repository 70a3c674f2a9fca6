import assert from "node:assert/strict";
import { publicListen } from "../../lib/app/open_api.ts";

const MACHINE = ["127.0.0.1", "::1", "10.1.2.3", "fe80::1%eth0", "fd00::5"];

for (
  const [listens, interfaces, address] of [
    [["0.0.0.0"], MACHINE, undefined],
    [["::"], MACHINE, undefined],
    [["0.0.0.0"], [...MACHINE, "203.0.113.7"], "203.0.113.7"],
    [["::"], [...MACHINE, "2001:db8::7"], "2001:db8::7"],
    [["::"], [...MACHINE, "::ffff:203.0.113.7"], "203.0.113.7"],
    [["127.0.0.1"], [...MACHINE, "203.0.113.7"], undefined],
    [["127.0.0.1", "203.0.113.7"], MACHINE, "203.0.113.7"],
    [["10.1.2.3"], [...MACHINE, "203.0.113.7"], undefined],
    [["172.32.0.1"], MACHINE, "172.32.0.1"],
    [["100.64.0.1"], MACHINE, undefined],
    [[], [...MACHINE, "203.0.113.7"], undefined],
  ] as const
) {
  Deno.test(`what listens on ${listens.join(", ") || "nothing"} is public by ${address ?? "nothing"} (${interfaces.at(-1)})`, () => {
    assert.equal(publicListen(listens, interfaces), address);
  });
}
