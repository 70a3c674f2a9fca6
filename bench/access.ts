/**
 * What it costs to decide whether a client may come in, without hooks: processor time of all threads and time that the client waits,
 * by kind of check.
 *
 * `deno task bench:access`.
 *
 * @module
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import process from "node:process";
import { SignJWT } from "jose";
import { Access } from "../lib/access/access.ts";
import type { AccessCheck } from "../lib/access/access_check.ts";
import { AddressRules } from "../lib/access/address_rules.ts";
import { ConfiguredKey } from "../lib/access/token_keys.ts";
import { Tokens } from "../lib/access/tokens.ts";
import { parseAddressRule } from "../lib/base/address_rule.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const CLIENTS = 2000;
const WARM_UP = 200;

/** Who signs, and how it is verified. */
interface Signer {
  readonly algorithm: string;
  readonly key: Uint8Array | KeyObject;
  readonly verifier: ConfiguredKey;
}

function signer(
  algorithm: string,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
): Signer {
  const pem = `${publicKey.export({ type: "spki", format: "pem" })}`;
  return { algorithm, key: privateKey, verifier: ConfiguredKey.ofPem(pem) };
}

const SIGNERS: readonly Signer[] = [
  { algorithm: "HS256", key: new TextEncoder().encode(SECRET), verifier: ConfiguredKey.ofSecret(SECRET) },
  signer("EdDSA", generateKeyPairSync("ed25519")),
  signer("ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })),
  signer("RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })),
];

/** User and system time of this process, in milliseconds. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function measure(
  name: string,
  checks: readonly AccessCheck[],
  tokens: readonly string[],
): Promise<void> {
  const access = new Access(new Map([["v", checks]]));
  const { signal } = new AbortController();
  const admit = async (token: string) => {
    const leave = await access.admit({
      ...{ action: "play", protocol: "rtmp", clientId: "c", ip: "192.0.2.77", vhost: "v" },
      ...{ app: "live", stream: "cam1", streamKey: "v/live/cam1", tcUrl: "", pageUrl: "", vouched: [] },
      parameters: `?token=${token}`,
      signal,
    });
    leave();
  };
  for (const token of tokens.slice(0, WARM_UP)) await admit(token);
  const measured = tokens.slice(WARM_UP);
  const [begunMs, usedMs] = [performance.now(), processorMs()];
  for (const token of measured) await admit(token);
  const each = (ms: number) => (ms / measured.length).toFixed(3).padStart(8);
  say(`${name.padEnd(28)}${each(processorMs() - usedMs)}${each(performance.now() - begunMs)}`);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- this is a command line program
  console.log(line);
}

async function sign({ algorithm, key }: Signer, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index < count; index++) {
    const claims = new SignJWT({ action: "play", stream: "live/cam1", jti: `${index}` });
    claims.setProtectedHeader({ alg: algorithm }).setExpirationTime("1h");
    tokens.push(await claims.sign(key as Uint8Array | CryptoKey));
  }
  return tokens;
}

say("ms for each client             CPU  waited");
const rules = Array.from({ length: 100 }, (_, index) => parseAddressRule(`deny play 10.${index}.0.0/16`));
await measure("100 address rules", [new AddressRules(rules)], Array(CLIENTS).fill("x"));
for (const each of SIGNERS) {
  const check = () =>
    new Tokens({ actions: ["play"], parameter: "token", keys: each.verifier, wallNow: Date.now });
  const tokens = await sign(each, CLIENTS);
  await measure(`${each.algorithm} token`, [check()], tokens);
  await measure(`${each.algorithm} token, remembered`, [check()], Array(CLIENTS).fill(tokens[0]));
}
