import { equal, throws } from "node:assert/strict";
import { AddressSet, formatIp, parseIp } from "../../lib/base/ip_address.ts";

const canonical: readonly (readonly [text: string, expected: string | undefined])[] = [
  ["10.0.0.1", "10.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::FFFF:0a00:0001", "10.0.0.1"],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1::", "1::"],
  ["fe80::1%eth0", "fe80::1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["010.0.0.1", undefined],
  ["10.0.0", undefined],
  ["10.0.0.256", undefined],
  ["10.0.0.1.", undefined],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1:2:3:4::5:6:7:8", undefined],
  ["1::2::3", undefined],
  [":::", undefined],
  ["1:2:3:4:5:6:7:", undefined],
  ["::10.0.0.1:1", undefined],
  ["::12345", undefined],
  ["", undefined],
  ["localhost", undefined],
  ["1".repeat(10_000), undefined],
];

for (const [text, expected] of canonical) {
  Deno.test(`the address '${text.slice(0, 40)}' is ${expected ?? "none"}`, () => {
    const bytes = parseIp(text);
    equal(bytes === undefined ? undefined : formatIp(bytes), expected);
  });
}

const sets: readonly (readonly [block: string, address: string, isIn: boolean])[] = [
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.1.2.3/8", "10.9.9.9", true],
  ["10.0.0.0/31", "10.0.0.2", false],
  ["::ffff:10.0.0.0/104", "10.1.1.1", true],
  ["0.0.0.0/0", "192.0.2.1", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "192.0.2.1", true],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["127.0.0.1", "not an address", false],
];

for (const [block, address, isIn] of sets) {
  Deno.test(`${address} is ${isIn ? "" : "not "}in ${block}`, () => {
    equal(new AddressSet(["192.0.2.77", block]).has(address), isIn);
  });
}

for (
  const text of [
    "10.0.0.0/33",
    "10.0.0",
    "010.0.0.1",
    "1.2.3.4/",
    "::/129",
    "1.2.3.4/8/8",
    "a",
    "fe80::1%1",
    "::/01",
  ]
) {
  Deno.test(`'${text}' is no block of addresses`, () => {
    throws(() => new AddressSet([text]), /^RangeError: Cannot read address: value is /);
  });
}
