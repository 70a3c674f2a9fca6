import assert from "node:assert/strict";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessAction, AccessRequest } from "../../lib/access/access_request.ts";
import { Referrer, type ReferrerSettings } from "../../lib/access/referrer.ts";

const NONE: ReferrerSettings = { all: [], publish: [], play: [] };

function decide(settings: Partial<ReferrerSettings>, action: AccessAction, pageUrl: string): string {
  try {
    new Referrer({ ...NONE, ...settings }).check({ action, pageUrl } as AccessRequest);
    return "in";
  } catch (error) {
    if (!(error instanceof AccessRefusal)) throw error;
    return error.message;
  }
}

Deno.test("refer: pages of a domain and below it, in whichever spelling, and no others", () => {
  const settings = { all: ["github.com", ".GitHub.io"] };
  const expected = {
    "http://github.com/ossrs/srs": "in",
    "https://www.github.com:8080/a": "in",
    "https://GITHUB.COM": "in",
    "github.com/a": "in",
    "https://user@github.com/": "in",
    "http://ossrs.github.io/": "in",
    "http://github.io": "in",
    "": "refer all: the client names no page",
    "http://": "refer all: the client names no page",
    "http://evil-github.com/": "refer all: the page is of 'evil-github.com'",
    "http://github.com.evil.example/": "refer all: the page is of 'github.com.evil.example'",
    "http://evil.example/?://github.com": "refer all: the page is of 'evil.example'",
    "http://evil.example/http://github.com": "refer all: the page is of 'evil.example'",
    "http://evil.example#@github.com": "refer all: the page is of 'evil.example'",
    "http://evil.example\\@github.com": "refer all: the page is of 'evil.example'",
    "http://github.com@evil.example": "refer all: the page is of 'evil.example'",
    "http://[::1]:80/": "refer all: the page is of '[::1]'",
  };
  for (const [page, verdict] of Object.entries(expected)) {
    assert.equal(decide(settings, "play", page), verdict, page);
  }
});

Deno.test("refer: what all says counts besides publish and play; an empty list asks nothing", () => {
  const settings = { all: ["a.com"], publish: ["pub.a.com"] };
  assert.equal(decide(settings, "publish", "http://pub.a.com/"), "in");
  assert.equal(decide(settings, "publish", "http://a.com/"), "refer publish: the page is of 'a.com'");
  assert.equal(decide(settings, "play", "http://a.com/"), "in");
  assert.equal(decide({ publish: ["b.com"] }, "publish", "http://b.com/"), "in");
  assert.equal(decide({ play: ["b.com"] }, "play", ""), "refer play: the client names no page");
  assert.equal(decide({ play: ["b.com"] }, "publish", ""), "in");
  assert.equal(decide({}, "play", ""), "in");
});
