import { createHmac, timingSafeEqual } from "node:crypto";

/** The header that a node's query is signed in: `t=MILLISECONDS,n=NONCE,s=HEX`. */
export const SIGNATURE_HEADER = "X-Headwater-Signature";
/** How far the clocks of two nodes may be apart, and how old a query may be, in milliseconds. */
export const SIGNATURE_WINDOW_MS = 30_000;

const FORM = /^t=(\d{1,15}),n=([0-9a-f]{16,64}),s=([0-9a-f]{64})$/;
const MAX_NONCES = 200_000;

/** What of a request is signed. Bodies are not: no query of a node has one. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
}

/**
 * Signs a query: HMAC-SHA256 of method, path with query, time and nonce.
 *
 * @param unixMs Milliseconds since 1970.
 * @param nonce 16 to 64 hexadecimal digits that were never used before.
 * @returns The value of `SIGNATURE_HEADER`.
 */
export function signRequest(secret: string, request: SignedRequest, unixMs: number, nonce: string): string {
  return `t=${unixMs},n=${nonce},s=${digest(secret, request, String(unixMs), nonce).toString("hex")}`;
}

/** Checks signatures and remembers their nonces for as long as they could be sent again. */
export class SignatureVerifier {
  // A nonce can be replayed until its time is a window behind: two windows after it was seen, when the sender's clock is ahead.
  #recent = new Set<string>();
  #older = new Set<string>();
  #turnedAtMs = -Infinity;

  /**
   * Whether the request was signed with this secret, lately, and is seen for the first time.
   *
   * @param header The value of `SIGNATURE_HEADER`.
   * @param unixMs Milliseconds since 1970, now.
   */
  verify(secret: string, request: SignedRequest, header: string | null | undefined, unixMs: number): boolean {
    const [, time = "", nonce = "", signature = ""] = FORM.exec(header ?? "") ?? [];
    if (nonce === "" || Math.abs(Number(time) - unixMs) > SIGNATURE_WINDOW_MS) return false;
    if (!timingSafeEqual(digest(secret, request, time, nonce), fromHex(signature))) return false;
    this.#forgetOld(unixMs);
    if (this.#recent.has(nonce) || this.#older.has(nonce)) return false;
    // Only who knows the secret gets here, so nobody else can fill this. Refused rather than forgotten too early.
    if (this.#recent.size >= MAX_NONCES) return false;
    this.#recent.add(nonce);
    return true;
  }

  #forgetOld(unixMs: number): void {
    const age = unixMs - this.#turnedAtMs;
    // A clock that was set back must not freeze the turn-over.
    if (age >= 0 && age < 2 * SIGNATURE_WINDOW_MS) return;
    this.#older = this.#recent;
    this.#recent = new Set();
    this.#turnedAtMs = unixMs;
  }
}

function digest(
  secret: string,
  { method, target }: SignedRequest,
  time: string,
  nonce: string,
): Uint8Array & {
  toString(encoding: "hex"): string;
} {
  return createHmac("sha256", secret).update(`${method}\n${target}\n${time}\n${nonce}`).digest();
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, index) => Number.parseInt(text.substr(index * 2, 2), 16),
  );
}
