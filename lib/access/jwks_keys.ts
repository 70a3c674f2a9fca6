import { getLogger } from "@logtape/logtape";
import type * as Jose from "jose";
import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { claimsOf, loadJose, type TokenKeys } from "./token_keys.ts";

const log = getLogger(["headwater", "access"]);

/** How long the keys' server may take, in milliseconds. */
const TIMEOUT_MS = 5000;
/** Longest set of keys, in bytes. */
const MAX_BYTES = 64 * 1024;
/** After so long the set is asked for again, in milliseconds. */
const FRESH_MS = 600_000;
/** For so long a set is used when its server does not answer, in milliseconds. */
const STALE_MS = 86_400_000;
/** A token of a key that is not known has the set asked for again at the soonest after so long, in milliseconds. */
const UNKNOWN_KEY_PAUSE_MS = 5000;
/** Pauses after a failure, in milliseconds: the first, doubled up to the last. */
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 30_000;
/** Keys of a set that are tried for a token that names none. */
const MAX_TRIED = 8;

/** What others can read: no secret is among them, so a public key is never taken for one. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

export interface JwksOptions {
  readonly url: string;
  /** The web's `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

/** A set, as it was got. */
interface KeySet {
  readonly text: string;
  readonly find: ReturnType<typeof Jose.createLocalJWKSet>;
  readonly gotMs: number;
}

/**
 * The keys that a server publishes, as identity providers do. They are asked for when they are needed, and again when they are old or a
 * token names one that is not among them. A server that fails is given time, and its last set is used for a day.
 */
export class JwksKeys implements TokenKeys {
  readonly #options: JwksOptions;
  #set: KeySet | undefined;
  #fetching: Promise<void> | undefined;
  #failures = 0;
  #lastFailure = "";
  #mayFetchAtMs = -Infinity;
  revision = 0;

  constructor(options: JwksOptions) {
    this.#options = options;
  }

  /** Asks for the set before anybody needs it, so that what is wrong with it is logged when the server starts. */
  async prepare(): Promise<void> {
    if (this.#set === undefined) await this.#fetch();
  }

  async verify(token: string): Promise<Jose.JWTPayload> {
    const { errors } = await loadJose();
    const set = await this.#current();
    try {
      return await verifyBy(set, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !await this.#fetchAgain()) throw error;
      return await verifyBy(await this.#current(), token);
    }
  }

  /** The set that there is; one that is old is asked for again beside it. */
  async #current(): Promise<KeySet> {
    const ageMs = this.#ageMs();
    if (ageMs > STALE_MS) await this.#fetch();
    else if (ageMs > FRESH_MS) inBackground(this.#fetch(), "fetching a JWKS");
    if (this.#set === undefined || this.#ageMs() > STALE_MS) throw new KeysMissing(this.#lastFailure);
    return this.#set;
  }

  #ageMs(): number {
    return this.#set === undefined ? Infinity : this.#options.clock.now() - this.#set.gotMs;
  }

  /** For a key that is not known; false where it was asked for just now. */
  async #fetchAgain(): Promise<boolean> {
    if (this.#fetching === undefined && this.#ageMs() < UNKNOWN_KEY_PAUSE_MS) return false;
    await this.#fetch();
    return true;
  }

  /** Who comes while it is under way waits for the same. Never rejects. */
  #fetch(): Promise<void> {
    if (this.#fetching === undefined && this.#options.clock.now() < this.#mayFetchAtMs) {
      return Promise.resolve();
    }
    this.#fetching ??= this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<void> {
    const { clock } = this.#options;
    try {
      const text = await this.#read();
      if (text !== this.#set?.text) {
        const find = await readSet(text);
        if (this.#set !== undefined) log.info("JWKS has other keys", { url: this.#options.url });
        this.#set = { text, find, gotMs: clock.now() };
        this.revision++;
      } else {
        this.#set = { ...this.#set, gotMs: clock.now() };
      }
      this.#failures = 0;
      this.#mayFetchAtMs = -Infinity;
    } catch (error) {
      this.#lastFailure = errorText(error);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LAST_PAUSE_MS);
      this.#mayFetchAtMs = clock.now() + pauseMs;
      log.warn(
        this.#set === undefined
          ? "Cannot fetch a JWKS: no token can be verified"
          : "Cannot fetch a JWKS: the last keys stay in use",
        { url: this.#options.url, reason: this.#lastFailure, againInMs: pauseMs },
      );
    }
  }

  async #read(): Promise<string> {
    const { url, fetch, clock } = this.#options;
    const abort = new AbortController();
    const timer = clock.setTimer(() => abort.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(url, { redirect: "manual", signal: abort.signal });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new RangeError(`it answered HTTP ${response.status}, must be 200`);
      }
      return await readText(response);
    } catch (error) {
      if (abort.signal.aborted) throw new RangeError(`no answer within ${TIMEOUT_MS} ms`);
      throw error;
    } finally {
      clock.clearTimer(timer);
    }
  }
}

/** No keys were got, so nothing is known of a token. */
export class KeysMissing extends Error {
  override readonly name = "KeysMissing";
}

async function verifyBy({ find }: KeySet, token: string): Promise<Jose.JWTPayload> {
  const { compactVerify, errors } = await loadJose();
  const options = { algorithms: ALGORITHMS };
  try {
    return claimsOf((await compactVerify(token, find, options)).payload);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // It names no key: each that fits is tried.
    let tried = 0;
    for await (const key of error) {
      if (tried++ === MAX_TRIED) break;
      try {
        return claimsOf((await compactVerify(token, key, options)).payload);
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

async function readSet(text: string): Promise<KeySet["find"]> {
  const { createLocalJWKSet } = await loadJose();
  try {
    return createLocalJWKSet(JSON.parse(text));
  } catch {
    throw new RangeError("its answer is no JSON Web Key Set");
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const bytes of response.body ?? []) {
    length += bytes.length;
    if (length > MAX_BYTES) throw new RangeError(`its answer is longer than ${MAX_BYTES} bytes`);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}
