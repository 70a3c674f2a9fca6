const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * An id of SRS's kind: a-z and 0-9.
 *
 * @param randomBytes Gives that many random bytes.
 */
export function randomId(randomBytes: (length: number) => Uint8Array, length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** An id of SRS's kind for a client or a feed: 8 characters. */
export function newId(randomBytes: (length: number) => Uint8Array): string {
  return randomId(randomBytes, 8);
}
