import { createHmac, timingSafeEqual } from "node:crypto";

/** How a node that asks for a signature names itself: `Headwater boot_id="ID"`, in a 401's `WWW-Authenticate`. */
export const CHALLENGE_HEADER = "WWW-Authenticate";
/** The header that a node's query is signed in: `b=BOOT_ID,t=MILLISECONDS,n=NONCE,s=HEX`. */
export const SIGNATURE_HEADER = "X-Headwater-Signature";
/** How far the clocks of two nodes may be apart, and how old a query may be, in milliseconds. */
export const SIGNATURE_WINDOW_MS = 30_000;

const FORM = /^b=([A-Za-z0-9_-]{0,64}),t=(\d{1,15}),n=([0-9a-f]{16,64}),s=([0-9a-f]{64})$/;
const MAX_NONCES = 200_000;

/** What of a request is signed. Bodies are not: no query of a node has one. */
export interface SignedRequest {
  /**
   * The boot id of the node that is asked: what is meant for one node is worth nothing to another, nor to the same one when it has been
   * started anew. Empty by who does not know it yet, and is told by the refusal.
   */
  readonly bootId: string;
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
}

/**
 * Signs a query: HMAC-SHA256 of the boot id of the node that is asked, method, path with query, time and nonce.
 *
 * @param unixMs Milliseconds since 1970.
 * @param nonce 16 to 64 hexadecimal digits that were never used before.
 * @returns The value of `SIGNATURE_HEADER`.
 */
export function signRequest(secret: string, request: SignedRequest, unixMs: number, nonce: string): string {
  return `b=${request.bootId},t=${unixMs},n=${nonce},s=${
    digest(secret, request, String(unixMs), nonce).toString("hex")
  }`;
}

/** For whom a request says that it is signed; undefined for what is no signature. */
export function signedFor(header: string): string | undefined {
  return FORM.exec(header)?.[1];
}

/** The value of `CHALLENGE_HEADER`. */
export function challenge(bootId: string): string {
  return `Headwater boot_id="${bootId}"`;
}

/** The boot id that a challenge names; undefined for another program's. */
export function challengedBootId(header: string | null): string | undefined {
  return /^Headwater boot_id="([A-Za-z0-9_-]{1,64})"$/.exec(header ?? "")?.[1];
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
    const [, , time = "", nonce = "", signature = ""] = FORM.exec(header ?? "") ?? [];
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
  { bootId, method, target }: SignedRequest,
  time: string,
  nonce: string,
): Uint8Array & {
  toString(encoding: "hex"): string;
} {
  return createHmac("sha256", secret).update(`${bootId}\n${method}\n${target}\n${time}\n${nonce}`).digest();
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, index) => Number.parseInt(text.substr(index * 2, 2), 16),
  );
}
