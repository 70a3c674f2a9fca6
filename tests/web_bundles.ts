/**
 * Writes the scripts and styles of the pages anew from `lib/web`, as modules of text. Run it when those change:
 *
 *     deno task web
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { run } from "../deploy/run.ts";

const ROOT = new URL("..", import.meta.url);

/** A page's script and style, and the module that holds them. */
export interface WebPage {
  /** The page's folder in `lib/web`, with `main.ts` and a style sheet of its name. */
  readonly name: string;
  /** The module's path from the repository. */
  readonly path: string;
}

export const WEB_PAGES: readonly WebPage[] = [
  { name: "console", path: "lib/http/console/console_bundle.ts" },
  { name: "players", path: "lib/http/players/players_bundle.ts" },
];

/** The text of a page's module. The same sources make the same text, without the network. */
export async function webModule({ name }: WebPage): Promise<string> {
  const source = `lib/web/${name}/main.ts`;
  const args = ["bundle", "--quiet", "--no-lock", "--platform", "browser", "--format", "iife", source];
  const script = await run(Deno.execPath(), args, { cwd: fileURLToPath(ROOT) });
  const style = await Deno.readTextFile(new URL(`lib/web/${name}/${name}.css`, ROOT));
  return `// deno-fmt-ignore-file
/**
 * Script and style of a page, as text: a compiled binary has no other files.
 * Written by \`deno task web\` from lib/web/${name}, not by hand; a test compares it with what the sources make.
 *
 * @module
 */

export const ${name.toUpperCase()}_SCRIPT: string = ${literal(script)};

export const ${name.toUpperCase()}_STYLE: string = ${literal(style)};
`;
}

/** Where a module is. */
export function webModuleUrl({ path }: WebPage): URL {
  return new URL(path, ROOT);
}

/** A line of text a line, so that changes can be read. In a page, `</script` or `</style` would end what it is in. */
function literal(text: string): string {
  if (/<\/(?:script|style)/i.test(text)) throw new Error("Cannot embed a page's text: it has an end tag");

  return `[\n${text.split("\n").map((line) => `  ${JSON.stringify(line)},\n`).join("")}].join("\\n")`;
}

if (import.meta.main) {
  for (const page of WEB_PAGES) await Deno.writeTextFile(webModuleUrl(page), await webModule(page));
}
