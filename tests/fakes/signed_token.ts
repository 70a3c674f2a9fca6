import { type KeyObject } from "node:crypto";
import { type JWTPayload, SignJWT } from "jose";

/** A secret as an operator would give it. */
export const SECRET = "0123456789abcdef0123456789abcdef";

/** A token for one stream, for an hour; what is given replaces claims, undefined leaves them out. */
export function signToken(
  claims: Record<string, unknown> = {},
  key: KeyObject | string = SECRET,
  header: { readonly alg: string; readonly kid?: string; readonly crit?: string[] } = { alg: "HS256" },
): Promise<string> {
  const payload: JWTPayload = {
    action: ["publish", "play"],
    stream: "live/cam1",
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ ...header }).sign(
    typeof key === "string" ? new TextEncoder().encode(key) : key as unknown as CryptoKey,
  );
}
