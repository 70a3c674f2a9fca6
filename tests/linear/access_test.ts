import type { AccessRequest } from "../../lib/access/access_request.ts";
import { readVerdict } from "../../lib/access/hook_verdict.ts";
import { Referrer } from "../../lib/access/referrer.ts";
import { parseAddressRule } from "../../lib/base/address_rule.ts";
import { readVouch } from "../../lib/base/node_vouch.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill } from "./inputs.ts";

const CHALLENGE = new Uint8Array(32);
const referrer = new Referrer({ all: ["example.com"], publish: [], play: ["a.example.com"] });

function texts(
  name: string,
  units: Readonly<Record<string, string>>,
  handle: (text: string) => unknown,
): Entrance {
  const kinds = Object.entries(units).map(([kind, unit]) => [kind, (size: number) => {
    const text = fill(unit, size);
    return () => {
      try {
        handle(text);
      } catch {
        // Refused.
      }
    };
  }]);
  return { name, size: 4096, kinds: Object.fromEntries(kinds) };
}

testGrowth([
  texts(
    "the page that a client names",
    {
      "of letters": "a",
      "of slashes": "/",
      "of schemes": "a://",
      "of colons": ":",
      "of ats": "a@",
      "of points": ".",
      "of domains": "example.com.",
      "of brackets": "[",
      "of question marks": "?",
    },
    (pageUrl) => referrer.check({ action: "play", pageUrl } as AccessRequest),
  ),
  texts(
    "the answer of a hook server",
    {
      "of zeros": "0",
      "of brackets": "[",
      "of objects": '{"code":',
      "of quotes": '"',
      "of backslashes": "\\",
      "of control characters": "\x1b",
      "of white space": " \n",
      "of numbers": "0.0,",
    },
    (body) => readVerdict(200, body),
  ),
  {
    name: "a hook server's answer that can be read",
    size: 4096,
    kinds: {
      "of keys": (size) => {
        const keys = Array.from({ length: Math.ceil(size / 10) }, (_, i) => `"k${i}":0`);
        const body = `{"code":0,${keys.join(",")}}`;
        return () => readVerdict(200, body);
      },
      "of nested lists": (size) => {
        const body = `{"code":0,"a":${fill("[", size / 8)}${fill("]", size / 8)}}`;
        return () => readVerdict(200, body);
      },
    },
  },
  texts(
    "what a client says that it vouches for",
    { "of letters": "a", "of commas": "a,", "of colons": ":", "of digits": "0" },
    (text) => readVouch("secret", CHALLENGE, "play", text),
  ),
  texts(
    "an address rule",
    {
      "of blanks": " ",
      "of words": "deny publish ",
      "of digits": "1",
      "of points": "1.",
      "of colons": ":",
      "of slashes": "/1",
    },
    (text) => parseAddressRule(`deny publish ${text}`),
  ),
]);
