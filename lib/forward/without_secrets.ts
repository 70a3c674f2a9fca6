import { escapeUnprintable } from "../base/printable.ts";

/** Words of another server are read so far, and shown so far, in characters: a secret that is cut in two is not shown at all. */
const READ_LENGTH = 4096;
const SHOWN_LENGTH = 300;

/** What may be shown of a text in which another server may have repeated a secret. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let shown = text.slice(0, READ_LENGTH);
  for (const secret of secrets) shown = shown.replaceAll(secret, "***");
  return escapeUnprintable(shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}...` : shown);
}
