import { createPublicKey, type KeyObject } from "node:crypto";

/** How a key signs tokens, as `alg` in a token's head says it. */
export type TokenAlgorithm = "HS256" | "RS256" | "ES256" | "ES384" | "EdDSA";

/**
 * Reads the public key of who signs tokens: SPKI or PKCS#1 in PEM.
 *
 * @throws {RangeError} When it is none, or one that no token is signed with; says what is wrong, to follow the file's name.
 */
export function readPublicKey(pem: string): { readonly key: KeyObject; readonly algorithm: TokenAlgorithm } {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new RangeError(
      "holds a private key; a server needs the public one: openssl pkey -in KEY.pem -pubout",
    );
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new RangeError("holds a certificate; take the key out: openssl x509 -in FILE.pem -pubkey -noout");
  }
  let key;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new RangeError("holds no public key in PEM");
  }
  return { key, algorithm: algorithmOf(key) };
}

/**
 * How tokens are signed with a key of an algorithm: never what a token says, else a public key could be taken for a secret.
 *
 * @param key Public or private.
 * @throws {RangeError} When none is.
 */
export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): TokenAlgorithm {
  switch (asymmetricKeyType) {
    case "rsa":
      if ((asymmetricKeyDetails?.modulusLength ?? 0) >= 2048) return "RS256";
      throw new RangeError(
        `holds an RSA key of ${asymmetricKeyDetails?.modulusLength} bits, must have at least 2048`,
      );
    case "ed25519":
      return "EdDSA";
    case "ec":
      if (asymmetricKeyDetails?.namedCurve === "prime256v1") return "ES256";
      if (asymmetricKeyDetails?.namedCurve === "secp384r1") return "ES384";
      throw new RangeError(
        `holds a key of curve ${asymmetricKeyDetails?.namedCurve}, must be prime256v1 or secp384r1`,
      );
    default:
      throw new RangeError(`holds a key of type ${asymmetricKeyType}, must be RSA, EC or Ed25519`);
  }
}
