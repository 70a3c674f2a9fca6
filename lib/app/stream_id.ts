import { createHash } from "node:crypto";

const CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * The id of a stream in the API and in hooks, of SRS's kind: the same for as long as the process runs, also before the stream is there
 * and when it comes back, and kept nowhere.
 *
 * @param bootId Another at each start.
 */
export function streamId(bootId: string, streamKey: string): string {
  const digest = createHash("sha256").update(`${bootId}\n${streamKey}`).digest();
  const characters = Array.from(digest.subarray(0, 7), (byte) => CHARACTERS[byte % CHARACTERS.length]);
  return `vid-${characters.join("")}`;
}
