import type { KeyObject } from "node:crypto";
import type * as Jose from "jose";
import { readPublicKey, type TokenAlgorithm } from "../base/public_key.ts";

/** The library, which is loaded when the first token comes. */
export const loadJose = (): Promise<typeof Jose> => import("jose");

/** What tokens are verified with. */
export interface TokenKeys {
  /** Another number when keys have gone, and what they signed no longer counts. */
  readonly revision: number;
  /**
   * The claims of a token that one of the keys has signed; its times are not looked at.
   *
   * @throws {Error} When none has, or it is no token.
   */
  verify(token: string): Promise<Jose.JWTPayload>;
}

/** One key that the operator has given: a secret, or who signs tokens' public key. */
export class ConfiguredKey implements TokenKeys {
  readonly revision = 0;
  readonly #key: Promise<CryptoKey> | KeyObject;
  readonly #algorithm: TokenAlgorithm;

  private constructor(key: Promise<CryptoKey> | KeyObject, algorithm: TokenAlgorithm) {
    this.#key = key;
    this.#algorithm = algorithm;
  }

  /** A secret that who signs tokens has too. */
  static ofSecret(secret: string): ConfiguredKey {
    const bytes = new TextEncoder().encode(secret);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return new ConfiguredKey(crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]), "HS256");
  }

  /**
   * A public key in PEM.
   *
   * @throws {RangeError} When it is none, or one that no token is signed with.
   */
  static ofPem(pem: string): ConfiguredKey {
    const { key, algorithm } = readPublicKey(pem);
    return new ConfiguredKey(key, algorithm);
  }

  async verify(token: string): Promise<Jose.JWTPayload> {
    const { compactVerify } = await loadJose();
    const { payload } = await compactVerify(token, await this.#key, { algorithms: [this.#algorithm] });
    return claimsOf(payload);
  }
}

/**
 * The claims in what a token holds.
 *
 * @throws {Error} When it is no JSON object.
 */
export function claimsOf(payload: Uint8Array): Jose.JWTPayload {
  const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw new TypeError("claims are no object");
  }
  return claims as Jose.JWTPayload;
}
