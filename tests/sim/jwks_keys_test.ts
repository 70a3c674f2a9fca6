import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { JwksKeys } from "../../lib/access/jwks_keys.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { signToken } from "../fakes/signed_token.ts";

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const one: Pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const two: Pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = ({ publicKey }: Pair, kid?: string) => ({
  ...publicKey.export({ format: "jwk" }),
  ...(kid === undefined ? {} : { kid }),
});
const set = (...keys: object[]) => JSON.stringify({ keys });
const tokenOf = ({ privateKey }: Pair, kid?: string) =>
  signToken({}, privateKey, { alg: "ES256", ...(kid === undefined ? {} : { kid }) });

/** The answers of a server of keys, by what it is set to say. */
class KeyServer {
  readonly clock = new FakeClock();
  asked = 0;
  answer: () => Response | Promise<Response>;
  readonly keys: JwksKeys;

  constructor(text: string) {
    this.answer = () => new Response(text);
    this.keys = new JwksKeys({
      url: "https://keys.example/jwks",
      clock: this.clock,
      fetch: (_, { signal }) => {
        this.asked++;
        const gone = new Promise<never>((_, reject) => {
          signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        });
        return Promise.race([this.answer(), gone]);
      },
    });
  }

  /** `in`, or the name or code of the error. */
  async try(token: string): Promise<string> {
    try {
      await this.keys.verify(token);
      return "in";
    } catch (error) {
      assert.ok(error instanceof Error);
      return "code" in error ? String(error.code) : `${error.name}: ${error.message}`;
    }
  }

  say(text: string, status = 200): void {
    this.answer = () => new Response(text, { status });
  }
}

Deno.test("JWKS: a set is fetched once for all who wait, and again when it is old", async () => {
  const server = new KeyServer(set(jwk(one, "a")));
  const token = await tokenOf(one, "a");
  assert.deepEqual(
    await Promise.all(Array.from({ length: 50 }, () => server.try(token))),
    Array(50).fill("in"),
  );
  assert.equal(server.asked, 1);
  await server.clock.advance(599_000);
  assert.equal(await server.try(token), "in");
  assert.equal(server.asked, 1);
  await server.clock.advance(2000);
  assert.equal(await server.try(token), "in");
  assert.equal(server.asked, 2);
});

Deno.test("JWKS: a key that was rotated in is found, and whoever makes keys up asks for few fetches", async () => {
  const server = new KeyServer(set(jwk(one, "a")));
  assert.equal(await server.try(await tokenOf(one, "a")), "in");
  const { revision } = server.keys;
  await server.clock.advance(5000);
  server.say(set(jwk(two, "b")));
  assert.equal(await server.try(await tokenOf(two, "b")), "in");
  assert.equal(server.asked, 2);
  assert.notEqual(server.keys.revision, revision, "what the old key signed is to be forgotten");
  assert.equal(await server.try(await tokenOf(one, "a")), "ERR_JWKS_NO_MATCHING_KEY");
  for (let i = 0; i < 20; i++) {
    assert.equal(await server.try(await tokenOf(one, `made up ${i}`)), "ERR_JWKS_NO_MATCHING_KEY");
  }
  assert.equal(server.asked, 2);
});

Deno.test("JWKS: keys without names are tried one by one", async () => {
  const server = new KeyServer(set(jwk(one), jwk(two)));
  for (const pair of [one, two]) assert.equal(await server.try(await tokenOf(pair)), "in");
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.equal(await server.try(await tokenOf(stranger)), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
});

Deno.test("JWKS: a secret in a set verifies nothing", async () => {
  const server = new KeyServer(set({ kty: "oct", k: btoa("0123456789abcdef0123456789abcdef"), kid: "a" }));
  const token = await signToken({}, undefined, { alg: "HS256", kid: "a" });
  assert.equal(await server.try(token), "ERR_JOSE_ALG_NOT_ALLOWED");
});

Deno.test("JWKS: the last set is used for a day while its server fails, which is asked less and less", async () => {
  const server = new KeyServer(set(jwk(one, "a")));
  const token = await tokenOf(one, "a");
  assert.equal(await server.try(token), "in");
  server.say("down", 503);
  await server.clock.advance(601_000);
  for (let second = 0; second < 120; second++) {
    assert.equal(await server.try(token), "in");
    await server.clock.advance(1000);
  }
  assert.ok(server.asked <= 10, `${server.asked}`);
  await server.clock.advance(86_400_000);
  assert.equal(await server.try(token), "KeysMissing: it answered HTTP 503, must be 200");
  server.say(set(jwk(one, "a")));
  await server.clock.advance(30_000);
  assert.equal(await server.try(token), "in");
});

Deno.test("JWKS: a server that is silent, lies, redirects or never ends costs its tokens and nothing else", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024).fill(32)),
      }),
    );
  const cases: [string, () => Response | Promise<Response>][] = [
    [
      "it answered HTTP 302, must be 200",
      () => new Response(null, { status: 302, headers: { Location: "/" } }),
    ],
    ["it answered HTTP 404, must be 200", () => new Response("{}", { status: 404 })],
    ["its answer is no JSON Web Key Set", () => new Response("<html>")],
    ["its answer is no JSON Web Key Set", () => new Response("null")],
    ["its answer is no JSON Web Key Set", () => new Response('{"keys":[1]}')],
    ["its answer is longer than 65536 bytes", endless],
    ["refused", () => Promise.reject(new TypeError("refused"))],
    ["no answer within 5000 ms", () => new Promise<Response>(() => {})],
  ];
  const token = await tokenOf(one, "a");
  for (const [reason, answer] of cases) {
    const server = new KeyServer("");
    server.answer = answer;
    const first = server.try(token);
    await server.clock.advance(5000);
    assert.equal(await first, `KeysMissing: ${reason}`);
    assert.equal(await server.try(token), `KeysMissing: ${reason}`);
    assert.ok(server.asked <= 2, `${reason}: ${server.asked}`);
    server.say(set(jwk(one, "a")));
    await server.clock.advance(30_000);
    assert.equal(await server.try(token), "in", reason);
    assert.equal(server.clock.pending, 0);
  }
});
