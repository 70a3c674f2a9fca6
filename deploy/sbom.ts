import { LIBRARY_VERSION } from "../lib/http/players/players_library.ts";
import type { Bundle } from "./bundle.ts";

interface LockFile {
  /** By `NAME@VERSION`. */
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

/**
 * What is in a binary, in the words of CycloneDX 1.6: the runtime, and the packages of which code went into the
 * bundle. Those that only tests use are not among them.
 *
 * @param lock The text of `deno.lock`, which knows the hashes.
 * @returns JSON.
 */
export function sbom(
  program: Pick<Bundle, "version" | "commit">,
  code: string,
  lock: string,
  denoVersion: string,
): string {
  const { npm } = JSON.parse(lock) as LockFile;
  // The pages hold it as text, with the packages that it was built of.
  const library: [string, string] = ["mpegts.js", LIBRARY_VERSION];
  const inLibrary = (npm[library.join("@")]?.dependencies ?? []).flatMap((name) =>
    Object.keys(npm).filter((key) => key === name || key.startsWith(`${name}@`))
  ).map((key): [string, string] => {
    const at = key.lastIndexOf("@");
    return [key.slice(0, at), key.slice(at + 1)];
  });
  const components = [...bundledPackages(code), library, ...inLibrary].map(([name, version]) => {
    const integrity = npm[`${name}@${version}`]?.integrity;
    if (integrity === undefined) {
      throw new Error(`Cannot list ${name}@${version}: deno.lock does not know it`);
    }
    return {
      type: "library",
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      hashes: [{ alg: "SHA-512", content: hexOf(integrity) }],
    };
  });
  const about = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        name: "headwater",
        version: program.version,
        ...(program.commit === "" ? {} : { properties: [{ name: "commit", value: program.commit }] }),
      },
    },
    components: [
      {
        type: "platform",
        name: "deno",
        version: denoVersion,
        purl: `pkg:github/denoland/deno@v${denoVersion}`,
      },
      ...components,
    ],
  };
  return `${JSON.stringify(about, null, 2)}\n`;
}

/** Name and version of each package that a bundle has code of, by the comments before each file. */
export function bundledPackages(code: string): [name: string, version: string][] {
  const found = new Map<string, [string, string]>();
  for (
    const [, name = "", version = ""] of code.matchAll(/^\/\/ npm:((?:@[^/\n]+\/)?[^/\n]+)\/([^/\n]+)\//gm)
  ) {
    found.set(`${name}@${version}`, [name, version]);
  }
  return [...found.values()].sort();
}

/** The digits of `sha512-BASE64`. */
function hexOf(integrity: string): string {
  const bytes = atob(integrity.slice("sha512-".length));
  return Array.from(bytes, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
