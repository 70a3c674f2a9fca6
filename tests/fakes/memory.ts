import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Bytes that JavaScript holds after its garbage is collected. Older Deno can't be told to collect; what is held is then only known to
 * within some tens of MiB.
 */
export function heldBytes(): { bytes: number; toleranceBytes: number } {
  if (collect === undefined) {
    try {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as () => void;
    } catch {
      collect = () => {};
    }
  }
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  const isExact = collect.name === "gc";
  return { bytes: heapUsed + external, toleranceBytes: (isExact ? 3 : 64) * 1024 * 1024 };
}
