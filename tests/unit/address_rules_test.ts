import assert from "node:assert/strict";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessAction, AccessRequest } from "../../lib/access/access_request.ts";
import { AddressRules } from "../../lib/access/address_rules.ts";
import { parseAddressRule } from "../../lib/base/address_rule.ts";

function decide(rules: readonly string[], action: AccessAction, ip: string): string {
  try {
    new AddressRules(rules.map(parseAddressRule)).check({ action, ip } as AccessRequest);
    return "in";
  } catch (error) {
    if (!(error instanceof AccessRefusal)) throw error;
    return error.message;
  }
}

const CASES: readonly {
  readonly name: string;
  readonly rules: readonly string[];
  /** `action ip` and what comes of it: `in`, or the rule that is logged. */
  readonly expected: Readonly<Record<string, string>>;
}[] = [
  {
    name: "no rules: nobody",
    rules: [],
    expected: { "publish 10.0.0.1": "no rule allows publish", "play ::1": "no rule allows play" },
  },
  {
    name: "SRS's sample: players only",
    rules: ["deny publish all", "allow play all"],
    expected: { "publish 10.0.0.1": "deny publish all", "play 10.0.0.1": "in", "play 2001:db8::1": "in" },
  },
  {
    name: "only deny rules: everyone else",
    rules: ["deny publish 10.0.0.0/8", "deny play 192.0.2.7"],
    expected: {
      "publish 10.255.0.1": "deny publish 10.0.0.0/8",
      "publish 192.0.2.7": "in",
      "play 192.0.2.7": "deny play 192.0.2.7",
      "play 10.0.0.1": "in",
    },
  },
  {
    name: "an allow rule for players alone refuses publishers",
    rules: ["allow play all"],
    expected: { "publish 10.0.0.1": "no rule allows publish", "play 10.0.0.1": "in" },
  },
  {
    name: "deny comes before allow, wherever it stands",
    rules: ["allow publish all", "deny  publish\t10.0.0.5"],
    expected: { "publish 10.0.0.5": "deny publish 10.0.0.5", "publish 10.0.0.6": "in" },
  },
  {
    name: "IPv4 rules and IPv4-mapped peers, and the reverse",
    rules: ["allow publish 10.0.0.0/8", "allow play ::ffff:192.0.2.0/120"],
    expected: {
      "publish ::ffff:10.1.2.3": "in",
      "publish ::ffff:0a01:0203": "in",
      "publish ::ffff:11.1.2.3": "no rule allows publish",
      "publish ::10.0.0.1": "no rule allows publish",
      "play 192.0.2.200": "in",
      "play 192.0.3.1": "no rule allows play",
    },
  },
  {
    name: "IPv6 blocks, in whichever spelling",
    rules: ["allow publish 2001:db8::/33", "allow publish fe80::1"],
    expected: {
      "publish 2001:0DB8:7fff::1": "in",
      "publish 2001:db8:8000::1": "no rule allows publish",
      "publish fe80:0:0::1%eth0": "in",
      "publish fe80::2": "no rule allows publish",
    },
  },
  {
    name: "bits beyond the prefix don't count, and /0 is everybody of that family",
    rules: ["allow publish 10.1.2.3/8", "deny play 0.0.0.0/0", "allow play all"],
    expected: { "publish 10.200.0.1": "in", "play 1.2.3.4": "deny play 0.0.0.0/0", "play ::1": "in" },
  },
  {
    name: "a peer without an address is in no block",
    rules: ["allow publish 0.0.0.0/0", "allow publish ::/0", "allow play all"],
    expected: { "publish unix": "no rule allows publish", "play unix": "in" },
  },
];

for (const { name, rules, expected } of CASES) {
  Deno.test(`address rules: ${name}`, () => {
    for (const [who, verdict] of Object.entries(expected)) {
      const [action, ip = ""] = who.split(" ");
      assert.equal(decide(rules, action as AccessAction, ip), verdict, who);
    }
  });
}

const BAD_RULES = {
  "": "a rule begins with allow or deny",
  "block publish all": "a rule begins with allow or deny",
  "deny": "after deny follows publish or play",
  "deny all": "after deny follows publish or play",
  "deny publish": "after deny publish follows one of all, an IP address, or a block such as 10.0.0.0/8",
  "deny publish all all":
    "after deny publish follows one of all, an IP address, or a block such as 10.0.0.0/8",
  ...Object.fromEntries(
    [
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "10.0.0",
      "010.0.0.1",
      "10.0.0.256",
      "1.2.3.4:80",
      "2001:db8::/129",
      "2001:db8",
      ":::",
      "fe80::1%eth0/64",
      "example.com",
      "ALL",
    ].map((from) => [
      `deny publish ${from}`,
      `'${from}' is not all, an IP address, or a block such as 10.0.0.0/8`,
    ]),
  ),
};

for (const [rule, reason] of Object.entries(BAD_RULES)) {
  Deno.test(`address rules: '${rule}' is a mistake`, () => {
    assert.throws(() => parseAddressRule(rule), { name: "RangeError", message: reason });
  });
}

Deno.test("address rules decide about what they can refuse: else a node does not vouch for them", () => {
  const decides = (...rules: string[]) => {
    const check = new AddressRules(rules.map(parseAddressRule));
    return (["publish", "play"] as const).filter((action) => check.decides(action));
  };
  assert.deepEqual(decides(), ["publish", "play"]);
  assert.deepEqual(decides("deny play 10.0.0.1"), ["play"]);
  assert.deepEqual(decides("deny play 10.0.0.1", "deny publish all"), ["publish", "play"]);
  assert.deepEqual(decides("allow play all"), ["publish", "play"]);
});
