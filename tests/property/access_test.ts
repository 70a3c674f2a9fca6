import assert from "node:assert/strict";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { AddressRules } from "../../lib/access/address_rules.ts";
import { readVerdict } from "../../lib/access/hook_verdict.ts";
import { Referrer } from "../../lib/access/referrer.ts";
import { parseAddressRule } from "../../lib/base/address_rule.ts";
import { Random, SEED_TEXT } from "./random.ts";

const CASES = 20_000;

function joined(random: Random, pieces: readonly string[], most: number): string {
  return Array.from({ length: random.below(most) }, () => pieces[random.below(pieces.length)]).join("");
}

function isIn(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!(error instanceof AccessRefusal)) throw error;
    return false;
  }
}

const BODY = [
  "0",
  "1",
  ".",
  "-",
  "e",
  "{",
  "}",
  "[",
  "]",
  '"code"',
  '"a"',
  ":",
  ",",
  " ",
  "\n",
  "null",
  '"',
  "\\",
  "\x00",
  "é",
];

Deno.test(`a hook has said yes only by 0 or code 0, whatever it answers (${SEED_TEXT})`, () => {
  for (let index = 0; index < CASES; index++) {
    const random = new Random(index);
    const wrap = random.below(2) === 0 ? ["", ""] : ['{"code":', "}"];
    const body = wrap[0] + joined(random, BODY, 8) + wrap[1];
    const { kind } = readVerdict(200, body);
    if (kind !== "accepted") continue;
    if (body !== "0") assert.ok(JSON.parse(body).code === 0, body);
    assert.equal(readVerdict(302, body).kind, "refused");
  }
});

const URL_PIECES = [
  "http://",
  "https://",
  "example.com",
  "evil.example",
  ".",
  "/",
  "//",
  ":",
  "@",
  "?",
  "#",
  "\\",
  "80",
  "a",
  "%2e",
  "[",
  "]",
  "EXAMPLE.com",
];

Deno.test(`a page is let in only when a browser would be on that host (${SEED_TEXT})`, () => {
  const referrer = new Referrer({ all: ["example.com"], publish: [], play: [] });
  let letIn = 0;
  for (let index = 0; index < CASES; index++) {
    const random = new Random(index);
    const pageUrl = `http://${joined(random, URL_PIECES, 6)}`;
    if (!isIn(() => referrer.check({ action: "play", pageUrl } as AccessRequest))) continue;
    const url = URL.parse(pageUrl);
    // What is no URL is no page of a browser's.
    if (url === null) continue;
    letIn++;
    // As browsers do, a missing host is looked for behind more slashes.
    if (/^http:\/\/[/\\]/.test(pageUrl)) continue;
    assert.match(url.hostname, /(^|\.)example\.com\.?$/, pageUrl);
  }
  assert.ok(letIn > 100, `${letIn}`);
});

Deno.test(`address rules decide as SRS's order says, by numbers (${SEED_TEXT})`, () => {
  for (let index = 0; index < CASES / 10; index++) {
    const random = new Random(index);
    const rules = Array.from({ length: random.below(5) }, () => {
      const bits = random.below(33);
      const from = random.below(4) === 0 ? "all" : `10.0.0.${random.below(256)}/${bits}`;
      return {
        verdict: random.below(2) === 0 ? "allow" : "deny",
        action: random.below(2) === 0 ? "publish" : "play",
        from,
      };
    });
    const ip = `10.0.${random.below(2)}.${random.below(256)}`;
    const value = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const matches = (from: string) => {
      if (from === "all") return true;
      const [address = "", bits] = from.split("/");
      const size = 2 ** (32 - Number(bits));
      return Math.floor(value(address) / size) === Math.floor(value(ip) / size);
    };
    const of = (verdict: string) => rules.filter((rule) => rule.verdict === verdict);
    const hit = (verdict: string) =>
      of(verdict).some(({ action, from }) => action === "play" && matches(from));
    const expected = !hit("deny") && (hit("allow") || (rules.length > 0 && of("allow").length === 0));
    const check = new AddressRules(
      rules.map(({ verdict, action, from }) => parseAddressRule(`${verdict} ${action} ${from}`)),
    );
    for (const spelling of [ip, `::ffff:${ip}`]) {
      const letIn = isIn(() => check.check({ action: "play", ip: spelling } as AccessRequest));
      assert.equal(letIn, expected, `${spelling} by ${JSON.stringify(rules)}`);
    }
  }
});
