import manifest from "../../deno.json" with { type: "json" };

// `deploy/bundle.ts` puts a module in this one's place that names the commit too.

/** The version of this program. */
export const VERSION: string = manifest.version;
/** The commit that this program was built from; empty when it runs from a checkout. */
export const COMMIT: string = "";
