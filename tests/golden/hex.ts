/** Bytes from hexadecimal digits with spaces where one likes, and `'text'` for ASCII. */
export function hex(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [token] of text.matchAll(/'[^']*'|[0-9a-f]+/gi)) {
    if (token.startsWith("'")) bytes.push(...[...token.slice(1, -1)].map((char) => char.charCodeAt(0)));
    else for (let i = 0; i < token.length; i += 2) bytes.push(parseInt(token.slice(i, i + 2), 16));
  }
  return Uint8Array.from(bytes);
}

/** Bytes as hexadecimal digits. `Uint8Array.toHex` is not in every Deno that this runs on. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
