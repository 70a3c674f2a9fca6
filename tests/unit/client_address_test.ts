import { deepEqual, equal } from "node:assert/strict";
import { AddressSet } from "../../lib/base/ip_address.ts";
import { forwardedClient } from "../../lib/http/server/client_address.ts";

const PROXY = { hostname: "10.0.0.1", port: 50_000 };
const trusted = new AddressSet(["10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48"]);
const isTrusted = (ip: string) => trusted.has(ip);

type Headers = readonly (readonly [name: string, value: string])[];

function clientOf(headers: Headers, peer = PROXY): string | undefined {
  return forwardedClient(headers, peer, isTrusted)?.peer.hostname;
}

const cases: readonly {
  readonly name: string;
  readonly headers: Headers;
  readonly expected: string | undefined;
}[] = [
  { name: "nothing said", headers: [["Host", "h"]], expected: undefined },
  { name: "one client", headers: [["X-Forwarded-For", "192.0.2.1"]], expected: "192.0.2.1" },
  {
    name: "a client that plants another before its own",
    headers: [["X-Forwarded-For", "127.0.0.1, 198.51.100.9, 192.0.2.1, 10.0.0.2"]],
    expected: "192.0.2.1",
  },
  {
    name: "several lines, in order",
    headers: [["X-Forwarded-For", "198.51.100.9"], ["x-forwarded-for", "192.0.2.1"], [
      "X-Forwarded-For",
      "10.0.0.3",
    ]],
    expected: "192.0.2.1",
  },
  { name: "proxies alone", headers: [["X-Forwarded-For", "10.0.0.7, 10.0.0.8"]], expected: "10.0.0.7" },
  {
    name: "a port, as Azure adds it",
    headers: [["X-Forwarded-For", "192.0.2.1:4711"]],
    expected: "192.0.2.1",
  },
  { name: "IPv6", headers: [["X-Forwarded-For", "2001:DB8::1, 2001:db8:1::5"]], expected: "2001:db8::1" },
  { name: "IPv6 with a port", headers: [["X-Forwarded-For", "[2001:db8::1]:443"]], expected: "2001:db8::1" },
  { name: "IPv4 in IPv6", headers: [["X-Forwarded-For", "::ffff:192.0.2.1"]], expected: "192.0.2.1" },
  { name: "a zone", headers: [["X-Forwarded-For", "fe80::1%eth0"]], expected: "fe80::1" },
  {
    name: "nobody whom one could name",
    headers: [["X-Forwarded-For", "192.0.2.1, unknown"]],
    expected: "10.0.0.1",
  },
  {
    name: "the last good one behind what is no address",
    headers: [["X-Forwarded-For", "192.0.2.1, _hidden, 10.0.0.9"]],
    expected: "10.0.0.9",
  },
  { name: "an empty list", headers: [["X-Forwarded-For", ""]], expected: "10.0.0.1" },
  { name: "X-Real-IP alone", headers: [["X-Real-IP", "192.0.2.1"]], expected: "192.0.2.1" },
  {
    name: "X-Real-IP beside X-Forwarded-For",
    headers: [["X-Real-IP", "198.51.100.9"], ["X-Forwarded-For", "192.0.2.1"]],
    expected: "192.0.2.1",
  },
  { name: "X-Real-IP that is none", headers: [["X-Real-IP", "a, b"]], expected: undefined },
  {
    name: "Forwarded",
    headers: [[
      "Forwarded",
      'for=198.51.100.9, For="[2001:db8::1]:4711";proto=https;by=10.0.0.1, for=10.0.0.4',
    ]],
    expected: "2001:db8::1",
  },
  {
    name: "Forwarded with separators in quotes",
    headers: [["Forwarded", 'host="a,b;for=1.1.1.1\\"";for=192.0.2.1']],
    expected: "192.0.2.1",
  },
  {
    name: "Forwarded without for",
    headers: [["Forwarded", "for=192.0.2.1, proto=https"]],
    expected: "10.0.0.1",
  },
  {
    name: "more hops than there are proxies",
    headers: [["X-Forwarded-For", `192.0.2.1${", 10.0.0.2".repeat(40)}`]],
    expected: "10.0.0.2",
  },
];

for (const { name, headers, expected } of cases) {
  Deno.test(`the client behind a trusted proxy: ${name}`, () => {
    equal(clientOf(headers), expected);
  });
}

Deno.test("what others say of a client does not count", () => {
  equal(clientOf([["X-Forwarded-For", "127.0.0.1"]], { hostname: "192.0.2.66", port: 1 }), undefined);
});

Deno.test("X-Forwarded-For counts where Forwarded contradicts it, and that is told", () => {
  const found = forwardedClient(
    [["Forwarded", "for=198.51.100.9"], ["X-Forwarded-For", "192.0.2.1:7"]],
    PROXY,
    isTrusted,
  );
  deepEqual(found, { peer: { hostname: "192.0.2.1", port: 7 }, isContradicted: true });
});
