import { dirname } from "node:path";
import { errorText } from "../base/errors.ts";

/** Makes the folder of a file that the configuration names: SRS's samples write into `./objs`, which nobody has. */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (folder !== ".") Deno.mkdirSync(folder, { recursive: true });
}

/** Why a file can't be written, in words for the operator. */
export function writeProblem(path: string, error: unknown): string {
  if (error instanceof Error && error.name === "NotCapable") {
    return `${path}: Deno does not write to system files`;
  }
  return `${path}: ${errorText(error)}`;
}
