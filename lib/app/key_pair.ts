import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { errorText } from "../base/errors.ts";
import type { KeyPair } from "../net/tls.ts";
import { readProblem } from "./read_problem.ts";
import type { CheckedKeyPair, KeyPairFiles } from "./checked_key_pair.ts";

/** Why a certificate and a key can't be used, in one sentence that names the file. */
export class KeyPairError extends Error {
  override readonly name = "KeyPairError";
}

/**
 * Reads and checks a certificate and its key.
 *
 * @param name The section that names the files, as in `rtmps`.
 * @throws {KeyPairError} When they can't be used. Never with a word of what the key holds.
 */
export function loadKeyPair(name: string, files: KeyPairFiles): CheckedKeyPair {
  return checkKeyPair(name, files, {
    cert: readPem(`${name}.cert`, files.cert),
    key: readPem(`${name}.key`, files.key),
  });
}

/**
 * Reads and checks several, by the sections that name them.
 *
 * @throws {KeyPairError} Naming every one that can't be used, a line each.
 */
export function loadKeyPairs<T extends string>(
  sections: readonly (readonly [name: T, files: KeyPairFiles])[],
): Map<T, CheckedKeyPair> {
  const pairs = new Map<T, CheckedKeyPair>();
  const problems: string[] = [];
  for (const [name, files] of sections) {
    try {
      pairs.set(name, loadKeyPair(name, files));
    } catch (error) {
      problems.push(errorText(error));
    }
  }
  if (problems.length > 0) throw new KeyPairError(problems.join("\n"));
  return pairs;
}

/** Checks that a certificate and a key can be read and belong together, by the library and by the runtime that is to use them. */
export function checkKeyPair(name: string, files: KeyPairFiles, { cert, key }: KeyPair): CheckedKeyPair {
  const certificate = parse(
    `${name}.cert ${files.cert}`,
    "holds no certificate in PEM",
    () => new X509Certificate(cert),
  );
  const privateKey: KeyObject = parse(
    `${name}.key ${files.key}`,
    "holds no private key in PEM, or one with a passphrase",
    () => createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new KeyPairError(
      `Cannot use ${name}.key ${files.key}: it is not the key of the certificate in ${files.cert}`,
    );
  }
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    throw new KeyPairError(`Cannot use ${name}.cert ${files.cert} with ${files.key}: ${errorText(error)}`);
  }
  return {
    cert,
    key,
    expiresAtMs: Date.parse(certificate.validTo),
    names: certificate.subjectAltName ?? certificate.subject ?? "",
  };
}

function parse<T>(file: string, problem: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new KeyPairError(`Cannot use ${file}: it ${problem}`);
  }
}

function readPem(key: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new KeyPairError(`Cannot use ${key} ${path}: ${readProblem(error)}`);
  }
}
