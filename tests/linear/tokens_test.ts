import { createHmac } from "node:crypto";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { readClaims } from "../../lib/access/token_claims.ts";
import { ConfiguredKey } from "../../lib/access/token_keys.ts";
import { Tokens } from "../../lib/access/tokens.ts";
import { SECRET } from "../fakes/signed_token.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, refusedOr } from "./inputs.ts";

const check = new Tokens({
  actions: ["publish", "play"],
  parameter: "token",
  keys: ConfiguredKey.ofSecret(SECRET),
  wallNow: () => 0,
});
const HEAD = btoa('{"alg":"HS256"}').replace(/=+$/, "");

function request(parameters: string): AccessRequest {
  const { signal } = new AbortController();
  const who = {
    action: "play",
    protocol: "rtmp",
    clientId: "c",
    ip: "10.0.0.1",
    tcUrl: "",
    pageUrl: "",
  } as const;
  const what = { vhost: "v", app: "live", stream: "s", streamKey: "v/live/s", parameters };
  return { ...who, ...what, vouched: [], signal };
}

async function ask(parameters: string): Promise<unknown> {
  try {
    return await check.check(request(parameters));
  } catch (error) {
    if (error instanceof AccessRefusal) return error;
    throw error;
  }
}

function texts(name: string, units: readonly string[], make: (text: string) => string): Entrance {
  const kinds = units.map((unit) => [`of ${JSON.stringify(unit)}`, (size: number) => {
    const parameters = make(fill(unit, size));
    return () => ask(parameters);
  }]);
  return { name, size: 500, kinds: Object.fromEntries(kinds) };
}

/** A token that is rightly signed, with a text in its claims. */
function signed(claims: string): string {
  const input = `${HEAD}.${btoa(claims).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
  return `?token=${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
}

const UNITS = ["a", ".", "=", "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "%", "token=", "&token=", "&token=a", "水"];

testGrowth([
  texts("token", UNITS, (text) => `?token=${text}`),
  texts("token's head", ["a", "{", "W1tb", "eyJ"], (text) => `?token=${text}.${text}.${text}`),
  texts("signed token", ["[", "{", '"a":', "9", " "], (text) => signed(text)),
  texts(
    "signed claims",
    ["a", " ", ",", "*", "play "],
    (text) => signed(JSON.stringify({ action: text, stream: text, exp: 4_000_000_000 })),
  ),
  {
    name: "claims of many names",
    size: 500,
    kinds: {
      "of streams": (count) => {
        const claims = { action: "play", stream: Array(count).fill("a/b"), exp: 4_000_000_000 };
        return () => refusedOr(AccessRefusal, () => readClaims(claims));
      },
    },
  },
]);
