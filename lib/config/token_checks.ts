import { isLoopback } from "../base/ip_address.ts";
import type { CheckResult } from "./check_result.ts";
import type { VhostConfig } from "./config.ts";

/** Shortest secret, in bytes: that of a SHA-256. A shorter one can be guessed from a single token, without asking the server. */
export const MIN_SECRET_BYTES = 32;

const KEYS = ["secret", "public_key", "jwks"] as const;

/** Checks what of a vhost's `tokens` needs more than one key to see. */
export function checkTokens(name: string, { tokens }: VhostConfig, { errors, warnings }: CheckResult): void {
  const path = ["vhost", name, "tokens"];
  const secretBytes = new TextEncoder().encode(tokens.secret).length;
  if (tokens.secret !== "" && secretBytes < MIN_SECRET_BYTES) {
    errors.push({
      path: [...path, "secret"],
      message: `Cannot use vhost.${name}.tokens.secret: it has ${secretBytes} bytes, must have at least ` +
        `${MIN_SECRET_BYTES} (openssl rand -hex 32 prints one)`,
      others: [],
    });
  }
  if (!tokens.enabled) return;
  const given = KEYS.filter((key) => tokens[key] !== "");
  if (given.length !== 1) {
    errors.push({
      path: [...path, given[1] ?? "enabled"],
      message: given.length === 0
        ? `Cannot use vhost.${name}.tokens: enabled without secret, public_key or jwks`
        : `Cannot use vhost.${name}.tokens: ${given.join(" and ")} are given, only one can be used`,
      others: given.map((key) => [...path, key]),
    });
  }
  if (!tokens.publish && !tokens.play) {
    warnings.push(`vhost ${name} has tokens enabled, but neither publish nor play: nobody needs one`);
  }
  if (isOverNetworkInPlain(tokens.jwks)) {
    warnings.push(
      `vhost ${name} gets its tokens.jwks by http: who can change that on its way can sign tokens; use https`,
    );
  }
}

function isOverNetworkInPlain(url: string): boolean {
  if (url === "") return false;
  const { protocol, hostname } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, "");
  return protocol === "http:" && name !== "localhost" && !isLoopback(name);
}
