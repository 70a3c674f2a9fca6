// `deploy/bundle.ts` puts a module in this one's place that holds the texts.

/** The text of a carried file, by its path in the repository. */
export function carriedText(path: string): string {
  return Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
}
