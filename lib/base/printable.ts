/**
 * What may begin a line, move a terminal's cursor or turn the direction of a text: control characters (U+0000-U+001F,
 * U+007F-U+009F), line and paragraph separators, and the marks of direction.
 */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Whether a text can be shown as it is. */
export function isPrintable(text: string): boolean {
  UNPRINTABLE.lastIndex = 0;
  return !UNPRINTABLE.test(text);
}

/** A text on one line in which everything unprintable is written as `\u` and four digits, a line's end as `\n`. */
export function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => {
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[char];
    return short ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A text for a message: on one line, and not longer than a line. */
export function shortText(text: string): string {
  return escapeUnprintable(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
