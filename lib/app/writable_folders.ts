/**
 * Where a binary may write its log_file and pid. What it may do is fixed when it is made, before anyone has named a
 * file, so these are folders: the one that it is started in, and those that the systemd unit and the image make.
 */
export const WRITABLE_FOLDERS: readonly string[] = [".", "/var/log/headwater", "/run/headwater"];

/** Why a file can't be written, in words for the operator. */
export function writeProblem(error: unknown): string {
  if (error instanceof Error && error.name === "NotCapable") {
    const [, ...others] = WRITABLE_FOLDERS;
    return `this program may write only to the folder that it was started in, ${others.join(" and ")}`;
  }
  return error instanceof Error ? error.message : String(error);
}
