import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { Tokens } from "../../lib/access/tokens.ts";
import { TokenKeySource } from "../../lib/app/token_key_source.ts";
import { printToken, type TokenRequest } from "../../lib/app/token_command.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { SECRET } from "../fakes/signed_token.ts";

const NOW_S = 1_800_000_000;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed = generateKeyPairSync("ed25519");
const pem = (key: KeyObject, type: "spki" | "pkcs8") => `${key.export({ type, format: "pem" })}`;
const FILES: Readonly<Record<string, string>> = {
  "rsa.pem": pem(rsa.publicKey, "spki"),
  "rsa.key": pem(rsa.privateKey, "pkcs8"),
  "ed.pem": pem(ed.publicKey, "spki"),
  "ed.key": pem(ed.privateKey, "pkcs8"),
};
const REQUEST: TokenRequest = {
  actions: ["publish"],
  streams: ["live/cam1"],
  expiresS: 3600,
  addresses: [],
};

interface Printed {
  readonly code: number;
  readonly token: string;
  readonly said: string;
}

function load(text: string) {
  return loadConfig({ path: "a.toml", environment: {}, readTextFile: (path) => FILES[path] ?? text }).config;
}

async function run(text: string, request: Partial<TokenRequest> = {}): Promise<Printed> {
  let [token, said] = ["", ""];
  const code = await printToken(load(text), { ...REQUEST, ...request }, {
    readTextFile: (path) => Promise.resolve(FILES[path] ?? assert.fail(path)),
    nowS: NOW_S + 0.5,
    say: (text) => token += text,
    complain: (text) => said += text,
  });
  return { code, token: token.trim(), said };
}

const vhost = (keys: string, name = "__defaultVhost__") =>
  `[vhost."${name}".tokens]\nenabled = true\n${keys}\n`;
const claimsOf = (token: string) => JSON.parse(atob(token.split(".")[1] ?? ""));

const KEYS: Readonly<Record<string, [string, Partial<TokenRequest>]>> = {
  HS256: [vhost(`secret = "${SECRET}"`), {}],
  RS256: [vhost('public_key = "rsa.pem"'), { keyPath: "rsa.key" }],
  EdDSA: [vhost('public_key = "ed.pem"'), { keyPath: "ed.key", keyId: "k" }],
};

for (const [algorithm, [text, request]] of Object.entries(KEYS)) {
  Deno.test(`headwater token: a server with the same configuration takes its ${algorithm} token`, async () => {
    const { code, token, said } = await run(text, request);
    assert.deepEqual([code, said], [0, ""]);
    const { tokens } = load(text).vhost["__defaultVhost__"] ?? assert.fail();
    const folder = await Deno.makeTempDir();
    try {
      for (const [name, content] of Object.entries(FILES)) {
        await Deno.writeTextFile(`${folder}/${name}`, content);
      }
      const keys = new TokenKeySource({ fetch, clock: new FakeClock() }).keysOf({
        ...tokens,
        public_key: tokens.public_key && `${folder}/${tokens.public_key}`,
      });
      const check = new Tokens({
        actions: ["publish"],
        parameter: "token",
        keys,
        wallNow: () => NOW_S * 1000,
      });
      const request = {
        action: "publish",
        vhost: "v",
        app: "live",
        stream: "cam1",
        streamKey: "v/live/cam1",
      };
      await check.check({ ...request, ip: "10.0.0.1", parameters: `?token=${token}` } as AccessRequest);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("headwater token: the claims are what was asked for", async () => {
  const text = vhost(`secret = "${SECRET}"\nplay = true`);
  assert.deepEqual(claimsOf((await run(text)).token), {
    action: "publish",
    stream: "live/cam1",
    exp: NOW_S + 3600,
  });
  const all = {
    actions: ["publish", "play"],
    streams: ["live/*", "v/a/b"],
    addresses: ["10.0.0.0/8"],
  } as const;
  assert.deepEqual(claimsOf((await run(text, all)).token), {
    action: ["publish", "play"],
    stream: ["live/*", "v/a/b"],
    exp: NOW_S + 3600,
    ip: "10.0.0.0/8",
  });
});

Deno.test("headwater token: the vhost is the default one, the only one with tokens, or the one that is named", async () => {
  const other = "fedcba9876543210fedcba9876543210";
  const one = vhost(`secret = "${SECRET}"`, "a.com");
  const signatureOf = async (text: string, request: Partial<TokenRequest> = {}) =>
    (await run(text, request)).token.split(".")[2];
  const right = await signatureOf(vhost(`secret = "${SECRET}"`));
  assert.equal(await signatureOf(one), right);
  assert.equal(await signatureOf(one + vhost(`secret = "${other}"`)) === right, false);
  assert.equal(await signatureOf(one + vhost(`secret = "${other}"`), { vhost: "a.com" }), right);
  const two = await run(one + vhost(`secret = "${other}"`, "b.com"));
  assert.equal(
    two.said,
    "Cannot make a token: several vhosts have tokens, so --vhost must name one of a.com, b.com\n",
  );
  assert.equal(
    (await run(one, { vhost: "c.com" })).said,
    "Cannot make a token: the configuration has no vhost 'c.com'\n",
  );
});

const refused: [string, string, Partial<TokenRequest>, RegExp][] = [
  ["no tokens", "", {}, /has no tokens: secret, public_key and jwks are empty/],
  ["no key", vhost('public_key = "rsa.pem"'), {}, /so --key FILE must name the private key/],
  ["no key for a JWKS", vhost('jwks = "https://a/"'), {}, /has tokens\.jwks, so --key FILE/],
  [
    "a key that is not its pair",
    vhost('public_key = "rsa.pem"'),
    { keyPath: "ed.key" },
    /'ed.key' is not the private key of/,
  ],
  ["a public key", vhost('public_key = "rsa.pem"'), { keyPath: "rsa.pem" }, /'rsa.pem' holds no private key/],
  ["a key and a secret", vhost(`secret = "${SECRET}"`), { keyPath: "rsa.key" }, /leave --key out/],
  [
    "a stream without its app",
    vhost(`secret = "${SECRET}"`),
    { streams: ["cam1"] },
    /must be app\/stream, as in live\/cam1/,
  ],
  [
    "an address that is none",
    vhost(`secret = "${SECRET}"`),
    { addresses: ["10.0.0"] },
    /must be an IP address or a block/,
  ],
  ["an end that never comes", vhost(`secret = "${SECRET}"`), { expiresS: 1e11 }, /beyond the year 2100/],
];
for (const [name, text, request, message] of refused) {
  Deno.test(`headwater token: ${name} is refused`, async () => {
    const { code, token, said } = await run(text, request);
    assert.deepEqual([code, token], [1, ""]);
    assert.match(said, message);
    assert.ok(!said.includes(SECRET) && !said.includes("PRIVATE"));
  });
}

Deno.test("headwater token: warns of what encoders cut, and of tokens that nobody asks for", async () => {
  const text = vhost(`secret = "${SECRET}"`);
  const named = async (count: number) => {
    const { code, said } = await run(text, {
      streams: Array.from({ length: count }, (_, i) => `live/camera${i}`),
    });
    assert.equal(code, 0);
    return said;
  };
  assert.equal(await named(20), "");
  assert.match(
    await named(40),
    /^warning: stream key and token have \d+ characters: OBS fails with more than about 980\n$/,
  );
  assert.match(
    await named(60),
    /^warning: path and query of the URL have \d+ characters: FFmpeg cuts them at 1023/,
  );
  assert.match((await run(text, { actions: ["play"] })).said, /tokens\.play = false: none is needed to play/);
  const off = `[vhost.__defaultVhost__.tokens]\nsecret = "${SECRET}"`;
  assert.match((await run(off)).said, /tokens\.enabled = false: nobody is asked for one/);
});
