import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { AccessRefusal } from "../../lib/access/access_check.ts";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { ConfiguredKey, type TokenKeys } from "../../lib/access/token_keys.ts";
import { Tokens, type TokenSettings } from "../../lib/access/tokens.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { SECRET, signToken } from "../fakes/signed_token.ts";

const NOW_S = Math.floor(Date.now() / 1000);
const keys = ConfiguredKey.ofSecret(SECRET);

function tokens(settings: Partial<TokenSettings> = {}): Tokens {
  return new Tokens({
    actions: ["publish", "play"],
    parameter: "token",
    keys,
    wallNow: () => NOW_S * 1000,
    ...settings,
  });
}

function request(parameters: string, other: Partial<AccessRequest> = {}): AccessRequest {
  const { stream = "cam1" } = other;
  return {
    action: "publish",
    protocol: "rtmp",
    clientId: "c",
    ip: "192.0.2.1",
    vhost: "__defaultVhost__",
    app: "live",
    stream,
    streamKey: `/live/${stream}`,
    parameters,
    tcUrl: "",
    pageUrl: "",
    vouched: [],
    signal: new AbortController().signal,
    ...other,
  };
}

/** `in`, or why not. */
async function decide(check: Tokens, asked: AccessRequest): Promise<string> {
  try {
    await check.check(asked);
    return "in";
  } catch (error) {
    if (!(error instanceof AccessRefusal)) throw error;
    return error.isCredentialMissing ? `401: ${error.message}` : error.message;
  }
}

const time = (seconds: number) => new Date((NOW_S + seconds) * 1000).toISOString();
const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
const payload = part({ action: "publish", stream: "live/cam1", exp: NOW_S + 3600 });

const CLAIMS: readonly {
  readonly name: string;
  readonly claims: Record<string, unknown>;
  readonly asked?: Partial<AccessRequest>;
  readonly expected: string;
}[] = [
  { name: "what it wants", claims: {}, expected: "in" },
  { name: "one action", claims: { action: "publish" }, expected: "in" },
  { name: "both actions in one text", claims: { action: "play,publish" }, expected: "in" },
  {
    name: "another action",
    claims: { action: "play" },
    expected: "the token is to play, not to publish",
  },
  {
    name: "an action that there is not",
    claims: { action: "Publish" },
    expected: `the token's claim action must be "publish", "play" or a list of these`,
  },
  { name: "no action", claims: { action: undefined }, expected: "the token's claim action is missing" },
  {
    name: "a list that is empty",
    claims: { action: [] },
    expected: "the token's claim action must name 1 to 64",
  },
  {
    name: "another stream",
    claims: { stream: "live/cam2" },
    expected: "the token is for stream 'live/cam2'",
  },
  {
    name: "a stream's name is no pattern",
    claims: { stream: ["live/cam", "li*e/cam1"] },
    expected: "the token is for stream 'live/cam' and 1 others",
  },
  { name: "streams by a star", claims: { stream: "live/*" }, expected: "in" },
  { name: "every stream", claims: { stream: "*" }, expected: "in" },
  {
    name: "a star of another app",
    claims: { stream: "live2/*" },
    expected: "the token is for stream 'live2/*'",
  },
  {
    name: "a stream of a vhost",
    claims: { stream: "a.example.com/live/cam1" },
    asked: { vhost: "a.example.com", streamKey: "a.example.com/live/cam1" },
    expected: "in",
  },
  {
    name: "a stream of a vhost that the edge does not know",
    claims: { stream: "b.example.com/live/*" },
    asked: { streamKey: "b.example.com/live/cam1" },
    expected: "in",
  },
  {
    name: "a stream of another vhost",
    claims: { stream: "a.example.com/live/*" },
    asked: { vhost: "b.example.com", streamKey: "b.example.com/live/cam1" },
    expected: "the token is for stream 'a.example.com/live/*'",
  },
  { name: "no stream", claims: { stream: undefined }, expected: "the token's claim stream is missing" },
  {
    name: "a stream that is a number",
    claims: { stream: 7 },
    expected: "the token's claim stream must be a text or a list of texts",
  },
  { name: "no end", claims: { exp: undefined }, expected: "the token's claim exp is missing" },
  ...[(NOW_S + 3600) * 1000, NOW_S + 0.5, 1e15, `${NOW_S + 3600}`, null].map((exp) => ({
    name: `an end of ${exp}`,
    claims: { exp },
    expected: "the token's claim exp must be seconds since 1970, before the year 2100",
  })),
  { name: "an end a moment ago: clocks differ", claims: { exp: NOW_S - 59 }, expected: "in" },
  { name: "an end", claims: { exp: NOW_S - 60 }, expected: `the token ended at ${time(-60)}` },
  { name: "a beginning soon: clocks differ", claims: { nbf: NOW_S + 60 }, expected: "in" },
  {
    name: "a beginning",
    claims: { nbf: NOW_S + 61 },
    expected: `the token counts from ${time(61)} on`,
  },
  {
    name: "a beginning that is a text",
    claims: { nbf: "now" },
    expected: "the token's claim nbf must be seconds since 1970",
  },
  { name: "its address", claims: { ip: "192.0.2.1" }, expected: "in" },
  { name: "its addresses", claims: { ip: ["10.0.0.0/8", "192.0.2.0/24"] }, expected: "in" },
  {
    name: "its address in the form of an IPv6 socket",
    claims: { ip: "192.0.2.1" },
    asked: { ip: "::ffff:192.0.2.1" },
    expected: "in",
  },
  { name: "another address", claims: { ip: "192.0.2.2" }, expected: "the token is for another address" },
  {
    name: "an address that is none",
    claims: { ip: "192.0.2" },
    expected: "the token's claim ip must be an IP address or a block such as 10.0.0.0/8",
  },
];

for (const { name, claims, asked, expected } of CLAIMS) {
  Deno.test(`a token with ${name}: ${expected}`, async () => {
    const token = await signToken(claims);
    assert.equal(await decide(tokens(), request(`?token=${token}`, asked)), expected);
  });
}

Deno.test("a token is found wherever a client may put it, and only one", async () => {
  const [one, other] = [await signToken(), await signToken({ stream: "live/*" })];
  const address = (tcUrl: string, name: string) => parseStreamAddress(tcUrl, name).parameters;
  const cases: [string, AccessRequest, string][] = [
    ["in the stream's name", request(address("rtmp://h/live", `cam1?token=${one}`)), "in"],
    ["in the app", request(address(`rtmp://h/live?token=${one}`, "cam1")), "in"],
    ["in both", request(address(`rtmp://h/live?token=${one}`, `cam1?token=${one}`)), "in"],
    [
      "a different one in both",
      request(address(`rtmp://h/live?token=${one}`, `cam1?token=${other}`)),
      "2 different tokens",
    ],
    ["among others", request(`?a=b&token=${one}&vhost=x`), "in"],
    ["as Bearer", request("", { authorization: one }), "in"],
    [
      "as Bearer and another in the URL",
      request(`?token=${one}`, { authorization: other }),
      "2 different tokens",
    ],
    ["spelt with padding and a blank", request(`?token=${one}==&token=${one} `), "in"],
    ["under another name", request(`?jwt=${one}`), "401: no token: parameter 'token' is missing"],
    [
      "in the name, without a question mark",
      request("", { stream: `cam1&token=${one}` }),
      "401: no token: parameter 'token' is missing (it stands in the stream's name: the URL lacks a '?')",
    ],
    ["empty", request("?token="), "401: no token: parameter 'token' is missing"],
    ["nowhere", request(""), "401: no token: parameter 'token' is missing"],
  ];
  for (const [name, asked, expected] of cases) assert.equal(await decide(tokens(), asked), expected, name);
  assert.equal(await decide(tokens({ parameter: "jwt" }), request(`?jwt=${one}`)), "in");
});

Deno.test("who needs no token is not asked for one", async () => {
  const check = tokens({ actions: ["publish"] });
  assert.equal(await decide(check, request("", { action: "play" })), "in");
  assert.equal(await decide(check, request("?token=junk", { action: "play" })), "in");
  assert.deepEqual([check.decides("publish"), check.decides("play")], [true, false]);
});

const pem = (key: KeyObject, type: "spki" | "pkcs1" = "spki") => `${key.export({ type, format: "pem" })}`;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");

Deno.test("tokens of every kind of key, and of none other", async () => {
  const signers = { RS256: rsa.privateKey, ES256: ec.privateKey, EdDSA: ed.privateKey, HS256: SECRET };
  const verifiers: [string, TokenKeys][] = [
    ["RS256", ConfiguredKey.ofPem(pem(rsa.publicKey))],
    ["RS256", ConfiguredKey.ofPem(pem(rsa.publicKey, "pkcs1"))],
    ["ES256", ConfiguredKey.ofPem(pem(ec.publicKey))],
    ["EdDSA", ConfiguredKey.ofPem(pem(ed.publicKey))],
    ["HS256", keys],
  ];
  for (const [verifier, keys] of verifiers) {
    for (const [alg, key] of Object.entries(signers)) {
      const token = await signToken({}, key, { alg });
      assert.equal(
        await decide(tokens({ keys }), request(`?token=${token}`)),
        alg === verifier ? "in" : "the token's alg is not that of the configured key",
        `${alg} for ${verifier}`,
      );
    }
  }
});

Deno.test("tokens that nobody signed, or not as they say, are refused", async () => {
  const good = await signToken();
  const [head = "", body = "", signature = ""] = good.split(".");
  const hmac = (input: string, key: string) => createHmac("sha256", key).update(input).digest("base64url");
  const byPem = `${part({ alg: "HS256" })}.${payload}`;
  const cases: Record<string, [string, TokenKeys?]> = {
    "the token's alg is not that of the configured key": [
      `${byPem}.${hmac(byPem, pem(rsa.publicKey))}`,
      ConfiguredKey.ofPem(pem(rsa.publicKey)),
    ],
    "the token's signature is wrong": [await signToken({}, "another secret, of thirty-two bytes")],
    "the token is signed or extended in a way that is not supported": [
      `${part({ alg: "HS256", crit: ["x"], x: 1 })}.${payload}.AAAA`,
    ],
  };
  for (const [expected, [token, keys]] of Object.entries(cases)) {
    assert.equal(
      await decide(tokens(keys === undefined ? {} : { keys }), request(`?token=${token}`)),
      expected,
    );
  }
  const object = `${part({ alg: "HS256" })}.${part([1])}`;
  const nan = `${part({ alg: "HS256" })}.${
    btoa('{"action":"publish","stream":"*","exp":1e400}').replace(/=+$/, "")
  }`;
  const others = [
    `${part({ alg: "none" })}.${payload}.`,
    `${part({ alg: "None" })}.${payload}.AAAA`,
    `${head}.${body}.`,
    `${head}.${body}`,
    `${head}.${payload}.${signature}`,
    `${good}.AAAA.AAAA`,
    `${object}.${hmac(object, SECRET)}`,
    `${nan}.${hmac(nan, SECRET)}`,
    "junk",
    "eyJ",
    "..",
    "%00",
  ];
  for (const token of others) {
    const verdict = await decide(tokens(), request(`?token=${token}`));
    assert.notEqual(verdict, "in", token);
    assert.ok(!verdict.includes(token), "says nothing of the token");
  }
  const long = await decide(tokens(), request("", { authorization: "a".repeat(10_000) }));
  assert.equal(long, "the token has 10000 characters, limit is 4096");
});

Deno.test("a token that a client has cut is called that in the log", async () => {
  const token = await signToken({ sub: "x".repeat(900) });
  for (
    const [kept, expected] of [[1023, true], [1015, true], [511, true], [255, true], [700, false]] as const
  ) {
    const parameters = `?token=${token}`.slice(0, kept - "live/cam1".length);
    const verdict = await decide(tokens(), request(parameters));
    assert.equal(
      verdict.includes("probably cut by the client"),
      expected,
      verdict,
    );
  }
});

Deno.test("a token that was right is verified once, and its claims each time, until its key or its time has gone", async () => {
  let verified = 0;
  let nowMs = NOW_S * 1000;
  const counted = {
    revision: 0,
    verify(token: string) {
      verified++;
      return keys.verify(token);
    },
  };
  const check = tokens({ keys: counted, wallNow: () => nowMs });
  const token = await signToken({ action: "play", exp: NOW_S + 3600 });
  const play = request(`?token=${token}`, { action: "play" });
  for (let i = 0; i < 3; i++) assert.equal(await decide(check, play), "in");
  // One token has many spellings.
  assert.equal(await decide(check, { ...play, parameters: `?token=${token}=` }), "in");
  assert.equal(await decide(check, { ...play, action: "publish" }), "the token is to play, not to publish");
  assert.equal(
    await decide(check, { ...play, stream: "cam2", streamKey: "/live/cam2" }),
    "the token is for stream 'live/cam1'",
  );
  assert.equal(verified, 1);
  counted.revision++;
  assert.equal(await decide(check, play), "in");
  assert.equal(verified, 2);
  nowMs += 3660_000;
  assert.equal(await decide(check, play), `the token ended at ${time(3600)}`);
  assert.equal(verified, 2);
  for (let i = 0; i < 3; i++) await decide(check, request("?token=junk"));
  assert.equal(verified, 5, "what was wrong is not remembered");
});

Deno.test("what no token can be verified with is a mistake, and says what to do", () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-521" });
  const cases: [string, RegExp][] = [
    ["", /^holds no public key in PEM$/],
    ["junk", /^holds no public key in PEM$/],
    [`${ed.privateKey.export({ type: "pkcs8", format: "pem" })}`, /^holds a private key; .* openssl pkey/],
    ["-----BEGIN CERTIFICATE-----\n", /^holds a certificate; .* openssl x509/],
    [pem(small.publicKey), /^holds an RSA key of 1024 bits, must have at least 2048$/],
    [pem(curve.publicKey), /^holds a key of curve secp521r1, must be prime256v1 or secp384r1$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => ConfiguredKey.ofPem(text), { name: "RangeError", message });
  }
});
