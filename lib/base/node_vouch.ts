import { createHmac, timingSafeEqual } from "node:crypto";

/** Longest text that is looked at, in characters. */
const MAX_LENGTH = 512;
const FORM = /^([a-z_]+(?:,[a-z_]+)*):([0-9a-f]{64})$/;

/** What one node of a cluster says to another of the clients that it asks for. */
export interface NodeVouch {
  readonly action: "publish" | "play";
  /** The checks that its clients have passed, by name. */
  readonly checks: readonly string[];
}

/**
 * Signs what a node vouches for.
 *
 * @param secret The cluster's.
 * @param challenge Random bytes that the other node has chosen for this connection: what was said on another is worth nothing here.
 */
export function signVouch(secret: string, challenge: Uint8Array, { action, checks }: NodeVouch): string {
  const names = checks.join(",");
  return `${names}:${digest(secret, challenge, action, names).toString("hex")}`;
}

/** The checks that a node vouches for; none where it does not know the secret. */
export function readVouch(
  secret: string,
  challenge: Uint8Array,
  action: NodeVouch["action"],
  text: string,
): readonly string[] {
  const [, names = "", signature = ""] = text.length > MAX_LENGTH ? [] : FORM.exec(text) ?? [];
  if (names === "" || secret === "" || challenge.length === 0) return [];
  const expected = digest(secret, challenge, action, names);
  return timingSafeEqual(expected, new Uint8Array(expected.length).map((_, i) => byteAt(signature, i)))
    ? names.split(",")
    : [];
}

function byteAt(hex: string, index: number): number {
  return parseInt(hex.slice(2 * index, 2 * index + 2), 16);
}

function digest(secret: string, challenge: Uint8Array, action: string, names: string) {
  return createHmac("sha256", secret).update(`headwater node ${action} ${names}\n`).update(challenge)
    .digest();
}
