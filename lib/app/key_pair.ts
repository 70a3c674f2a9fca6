import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { errorText } from "../base/errors.ts";
import type { KeyPair } from "../net/tls.ts";

/** A certificate and its key that fit each other. */
export interface CheckedKeyPair extends KeyPair {
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** Whom it is for, for logs. */
  readonly names: string;
}

/** Why a certificate and a key can't be used, in one sentence that names the file. */
export class KeyPairError extends Error {
  override readonly name = "KeyPairError";
}

/** Where a certificate and its key lie. */
export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
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

/** Why a file can't be read, without the path, which is named already. */
export function readProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "it may not be read by the user that runs the server";
  }
  return errorText(error);
}
