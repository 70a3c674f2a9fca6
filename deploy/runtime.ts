import { join } from "node:path";
import { ROOT } from "./bundle.ts";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

/** What `deno compile` is called as, and the runtime that it puts into the binary. */
export interface Compiler {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly version: string;
  /** The runtime; absent: Deno downloads it. */
  readonly denortPath?: string;
}

/**
 * The Deno that runs this, which downloads its runtime; or, where the script `denort` lies beside the checkout and has
 * a runtime for the target, that and the Deno that it belongs to.
 *
 * @param target Undefined: this machine.
 */
export async function findCompiler(target?: Target): Promise<Compiler> {
  const own: Compiler = { command: [Deno.execPath()], version: Deno.version.deno };
  const isForeign = target !== undefined && target.triple !== Deno.build.target;
  const script = join(ROOT, "../shared/tools/denort");
  if (isForeign || Deno.env.has("DENORT_BIN") || !await exists(script)) return own;
  try {
    const [denortPath = "", version = ""] = (await run(script, [])).trim().split(" ");
    return { command: ["npx", "-y", `deno@${version}`], version, denortPath };
  } catch {
    // It has none for this machine.
    return own;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
