import { COMMIT, VERSION } from "./version.ts";

/** `headwater 0.1.0 (1f4cde0)`; without the commit when it is not known. */
export function versionText(): string {
  return COMMIT === "" ? `headwater ${VERSION}` : `headwater ${VERSION} (${COMMIT})`;
}
