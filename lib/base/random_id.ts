const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * An id of SRS's kind: a-z and 0-9.
 *
 * @param randomBytes Gives that many random bytes.
 */
export function randomId(randomBytes: (length: number) => Uint8Array, length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
