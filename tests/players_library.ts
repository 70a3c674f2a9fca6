/**
 * Writes `lib/http/players/players_library.ts` anew from the npm package that deno.json names. Run it when that changes:
 *
 *     deno run --allow-read --allow-write tests/players_library.ts
 *
 * @module
 */
const PATH = new URL("../lib/http/players/players_library.ts", import.meta.url);
const LINE = 108;

/** What the module holds. */
export interface LibraryFiles {
  readonly version: string;
  readonly source: string;
  readonly licenses: string;
}

/** Reads the package, and the licenses of all that is bundled into its one file. */
export async function readLibrary(): Promise<LibraryFiles> {
  const main = import.meta.resolve("mpegts.js");
  const { version } = JSON.parse(await read(new URL("../package.json", main)));
  const bundled = await Promise.all(
    ["es6-promise/4.2.8/LICENSE", "events/3.3.0/LICENSE"].map(async (path) => {
      return `${path.split("/")[0]}\n\n${await read(new URL(`../../../${path}`, main))}`;
    }),
  );
  const own = `mpegts.js ${version}\n\n${await read(new URL("../LICENSE", main))}`;
  return { version, source: await read(new URL(main)), licenses: [own, ...bundled].join("\n\n----\n\n") };
}

/** The text of a module with these files. */
export async function libraryModule({ version, source, licenses }: LibraryFiles): Promise<string> {
  return `// deno-fmt-ignore-file
/**
 * mpegts.js (Apache-2.0, with es6-promise and events, both MIT) for the players' page, as text: a compiled binary has no other files.
 * Written by tests/players_library.ts, not by hand; a test compares it with the package.
 *
 * @module
 */

export const LIBRARY_VERSION = ${JSON.stringify(version)};

/** The package's dist/mpegts.js: gzip, in base64 with line breaks. */
export const LIBRARY_GZIP_BASE64 = \`
${await packed(source)}
\`;

/** The licenses of it and of what it contains: gzip, in base64 with line breaks. */
export const LICENSES_GZIP_BASE64 = \`
${await packed(licenses)}
\`;
`;
}

async function packed(text: string): Promise<string> {
  const gzip = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(gzip).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).match(new RegExp(`.{1,${LINE}}`, "g"))?.join("\n") ?? "";
}

function read(url: URL): Promise<string> {
  return Deno.readTextFile(url);
}

if (import.meta.main) await Deno.writeTextFile(PATH, await libraryModule(await readLibrary()));
