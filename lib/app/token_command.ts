import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import type { AccessAction } from "../access/access_request.ts";
import { LATEST_EXP_S, readClaims } from "../access/token_claims.ts";
import { loadJose } from "../access/token_keys.ts";
import { errorText } from "../base/errors.ts";
import { algorithmOf, readPublicKey } from "../base/public_key.ts";
import { DEFAULT_VHOST } from "../base/stream_address.ts";
import type { Config, VhostConfig } from "../config/config.ts";

/** What `headwater token` is asked for. */
export interface TokenRequest {
  readonly actions: readonly AccessAction[];
  /** `app/stream` or `vhost/app/stream`, `*` at the end allowed. */
  readonly streams: readonly string[];
  /** For how long, in seconds. */
  readonly expiresS: number;
  /** Addresses and blocks that its bearer may come from; empty: any. */
  readonly addresses: readonly string[];
  /** Whose `tokens` say how it is signed; absent: the default vhost's, or those of the only one that has some. */
  readonly vhost?: string;
  /** File with the private key, where the server has only the public one. */
  readonly keyPath?: string;
  /** The key's name in the JWKS. */
  readonly keyId?: string;
}

/** What the command needs of the process. */
export interface TokenCommandOptions {
  readonly readTextFile: (path: string) => Promise<string>;
  /** Seconds since 1970. */
  readonly nowS: number;
  /** Takes the token. */
  readonly say: (text: string) => void;
  /** Takes what is wrong, and warnings. */
  readonly complain: (text: string) => void;
}

/** What FFmpeg keeps of path and query, in characters. */
const FFMPEG_KEEPS = 1023;
/** What OBS keeps of a stream's key, in characters. */
const OBS_KEEPS = 980;

/** What a token is signed with. */
interface SigningKey {
  readonly key: Uint8Array | KeyObject;
  readonly algorithm: string;
}

/**
 * Prints a signed token for a server with this configuration.
 *
 * @returns The exit code.
 */
export async function printToken(
  config: Config,
  request: TokenRequest,
  options: TokenCommandOptions,
): Promise<number> {
  const { say, complain } = options;
  try {
    const [vhost, { tokens }] = findVhost(config, request.vhost);
    const signingKey = await findKey(vhost, tokens, request, options);
    const token = await sign(signingKey, request, options.nowS);
    for (const warning of warnings(vhost, tokens, request, token)) complain(`warning: ${warning}\n`);
    say(`${token}\n`);
    return 0;
  } catch (error) {
    complain(`Cannot make a token: ${errorText(error)}\n`);
    return 1;
  }
}

function findVhost({ vhost: vhosts }: Config, wanted: string | undefined): [string, VhostConfig] {
  const withTokens = Object.keys(vhosts).filter((name) => vhosts[name]?.tokens.enabled);
  const [only, ...more] = withTokens;
  const name = wanted ??
    (withTokens.includes(DEFAULT_VHOST) || only === undefined || more.length > 0 ? DEFAULT_VHOST : only);
  const found = Object.hasOwn(vhosts, name) ? vhosts[name] : undefined;
  if (found !== undefined) return [name, found];
  throw new RangeError(
    wanted === undefined
      ? `several vhosts have tokens, so --vhost must name one of ${withTokens.join(", ")}`
      : `the configuration has no vhost '${name}'`,
  );
}

async function findKey(
  vhost: string,
  { secret, public_key: publicPath, jwks }: VhostConfig["tokens"],
  { keyPath }: TokenRequest,
  { readTextFile }: TokenCommandOptions,
): Promise<SigningKey> {
  if (secret === "" && publicPath === "" && jwks === "") {
    throw new RangeError(`vhost ${vhost} has no tokens: secret, public_key and jwks are empty`);
  }
  if (secret !== "") {
    if (keyPath === undefined) return { key: new TextEncoder().encode(secret), algorithm: "HS256" };
    throw new RangeError(`vhost ${vhost} has tokens.secret, which signs them: leave --key out`);
  }
  const given = publicPath === "" ? "jwks" : "public_key";
  if (keyPath === undefined) {
    throw new RangeError(
      `vhost ${vhost} has tokens.${given}, so --key FILE must name the private key that belongs to it`,
    );
  }
  let key;
  const text = await readTextFile(keyPath);
  try {
    key = createPrivateKey(text);
  } catch {
    throw new RangeError(`'${keyPath}' holds no private key in PEM, or one with a passphrase`);
  }
  const algorithm = algorithmOf(key);
  if (publicPath !== "" && !isPair(key, readPublicKey(await readTextFile(publicPath)).key)) {
    throw new RangeError(`'${keyPath}' is not the private key of tokens.public_key '${publicPath}'`);
  }
  return { key, algorithm };
}

function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" });
  return pem(createPublicKey(privateKey)) === pem(publicKey);
}

async function sign(
  { key, algorithm }: SigningKey,
  { actions, streams, expiresS, addresses, keyId }: TokenRequest,
  nowS: number,
): Promise<string> {
  const odd = streams.find((stream) => !stream.includes("/") && !stream.endsWith("*"));
  if (odd !== undefined) {
    throw new RangeError(`--stream is '${odd}', must be app/stream, as in live/${odd || "cam1"}`);
  }
  const exp = Math.floor(nowS) + expiresS;
  if (exp > LATEST_EXP_S) throw new RangeError("--expires leads beyond the year 2100");
  const claims = {
    action: one(actions),
    stream: one(streams),
    exp,
    ...(addresses.length === 0 ? {} : { ip: one(addresses) }),
  };
  // What the server would refuse is told now.
  readClaims(claims);
  const { SignJWT } = await loadJose();
  const header = { alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) };
  return await new SignJWT(claims).setProtectedHeader(header).sign(key as Uint8Array | CryptoKey);
}

/** Shorter tokens fit more encoders: a list of one is that one. */
function one<T>(values: readonly T[]): T | readonly T[] {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

function* warnings(
  vhost: string,
  tokens: VhostConfig["tokens"],
  { actions, streams }: TokenRequest,
  token: string,
): Iterable<string> {
  if (!tokens.enabled) yield `vhost ${vhost} has tokens.enabled = false: nobody is asked for one`;
  for (const action of actions) {
    if (tokens.enabled && !tokens[action]) {
      yield `vhost ${vhost} has tokens.${action} = false: none is needed to ${action}`;
    }
  }
  const longest = (lengthOf: (stream: string) => number) => Math.max(...streams.map(lengthOf));
  const query = `?${tokens.parameter}=${token}`.length;
  const path = longest((stream) => stream.length + 1) + query;
  if (path > FFMPEG_KEEPS) {
    yield `path and query of the URL have ${path} characters: FFmpeg cuts them at ${FFMPEG_KEEPS} without a word`;
  }
  const key = longest((stream) => stream.length - stream.lastIndexOf("/") - 1) + query;
  if (key > OBS_KEEPS) {
    yield `stream key and token have ${key} characters: OBS fails with more than about ${OBS_KEEPS}`;
  }
}
