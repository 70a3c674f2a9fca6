import { errorText } from "../base/errors.ts";

/** Why a file can't be read, without the path, which is named already. */
export function readProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "it may not be read by the user that runs the server";
  }
  return errorText(error);
}
