import type { KeyPair } from "../net/tls.ts";

/** A certificate and its key that fit each other. */
export interface CheckedKeyPair extends KeyPair {
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** Whom it is for, for logs. */
  readonly names: string;
}

/** Where a certificate and its key lie. */
export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
}
