import { createHash } from "node:crypto";
import { parametersOf } from "../base/stream_address.ts";
import { type AccessCheck, AccessRefusal } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";
import { KeysMissing } from "./jwks_keys.ts";
import { checkClaims, CLOCK_TOLERANCE_S, readClaims, type TokenClaims } from "./token_claims.ts";
import type { TokenKeys } from "./token_keys.ts";

/** Longest token, in characters: whatever is longer costs nothing but its reading. */
const MAX_TOKEN_LENGTH = 4096;
const UNREADABLE = "the token cannot be read as a signed JWT";
/** Tokens that are remembered. */
const MAX_REMEMBERED = 10_000;

/** A vhost's `tokens`. */
export interface TokenSettings {
  /** Who needs one. */
  readonly actions: readonly AccessAction[];
  /** The parameter that it stands in. */
  readonly parameter: string;
  readonly keys: TokenKeys;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
}

/**
 * Lets in who has a token (JWT) that a known key has signed, for what it wants to do. A token that was right is remembered until it
 * ends, since a signature costs up to a millisecond; the claims are compared each time.
 */
export class Tokens implements AccessCheck {
  readonly name = "tokens";
  readonly #settings: TokenSettings;
  /** Claims by the digest of the token. Only who has a right token gets in here. */
  readonly #remembered = new Map<string, TokenClaims>();
  #revision = 0;

  constructor(settings: TokenSettings) {
    this.#settings = settings;
  }

  decides(action: AccessAction): boolean {
    return this.#settings.actions.includes(action);
  }

  check(request: AccessRequest): void | Promise<void> {
    if (!this.decides(request.action)) return;
    const token = this.#find(request);
    const digest = createHash("sha256").update(token).digest("base64");
    const { keys, wallNow } = this.#settings;
    if (this.#revision !== keys.revision) this.#remembered.clear();
    this.#revision = keys.revision;
    const claims = this.#remembered.get(digest);
    return claims === undefined
      ? this.#verify(request, token, digest)
      : checkClaims(claims, request, wallNow() / 1000);
  }

  /** The one token that a client has sent, wherever it stands. */
  #find({ stream, parameters, authorization }: AccessRequest): string {
    const { parameter } = this.#settings;
    const sent = parametersOf(parameters, parameter);
    if (authorization !== undefined) sent.push(authorization);
    // Spellings of the same token: what pads it at its end is not read.
    const tokens = new Set(sent.map(trimmed).filter((token) => token !== ""));
    const [token] = tokens;
    if (token === undefined) {
      const hint = stream.includes(`${parameter}=`)
        ? " (it stands in the stream's name: the URL lacks a '?')"
        : "";
      throw new AccessRefusal(`no token: parameter '${parameter}' is missing${hint}`, {
        isCredentialMissing: true,
      });
    }
    if (tokens.size > 1) throw new AccessRefusal(`${tokens.size} different tokens`);
    if (token.length > MAX_TOKEN_LENGTH) {
      throw new AccessRefusal(`the token has ${token.length} characters, limit is ${MAX_TOKEN_LENGTH}`);
    }
    // The library passes over blanks: one token would have any number of spellings.
    if (!/^[\w.-]+$/.test(token)) throw new AccessRefusal(UNREADABLE);
    return token;
  }

  async #verify(request: AccessRequest, token: string, digest: string): Promise<void> {
    const { keys, wallNow } = this.#settings;
    const { revision } = keys;
    let payload;
    try {
      payload = await keys.verify(token);
    } catch (error) {
      // Without its cause: what a parser complains of, it cites.
      throw new AccessRefusal(problemOf(error) + cutHint(request, token, this.#settings.parameter));
    }
    const claims = readClaims(payload);
    const nowS = wallNow() / 1000;
    checkClaims(claims, request, nowS);
    // Keys that have gone meanwhile vouch for nothing.
    if (keys.revision === revision) this.#remember(digest, claims, nowS);
  }

  #remember(digest: string, claims: TokenClaims, nowS: number): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#forget(nowS);
    this.#remembered.set(digest, claims);
  }

  /** What has ended, else what was remembered first. */
  #forget(nowS: number): void {
    for (const [digest, { expiresAtS }] of this.#remembered) {
      if (expiresAtS + CLOCK_TOLERANCE_S <= nowS) this.#remembered.delete(digest);
    }
    for (const digest of this.#remembered.keys()) {
      if (this.#remembered.size < MAX_REMEMBERED / 2) break;
      this.#remembered.delete(digest);
    }
  }
}

/** What is wrong with a token, in words that hold nothing of it. */
function problemOf(error: unknown): string {
  if (error instanceof KeysMissing) return `no keys to verify the token with: ${error.message}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return "the token's signature is wrong";
    case "ERR_JOSE_ALG_NOT_ALLOWED":
      return "the token's alg is not that of the configured key";
    case "ERR_JWKS_NO_MATCHING_KEY":
      return "the token's key is not in the JWKS";
    case "ERR_JOSE_NOT_SUPPORTED":
      return "the token is signed or extended in a way that is not supported";
    default:
      return UNREADABLE;
  }
}

/** Lengths at which clients cut what they are given. */
function isCutLength(length: number): boolean {
  return length === 255 || length === 511 || (length >= 1015 && length <= 1023);
}

/** Old encoders keep 255 or 511 characters of a name, FFmpeg 1023 of path and query, and no word is said of the rest. */
function cutHint({ app, stream, parameters }: AccessRequest, token: string, parameter: string): string {
  const lengths = [
    token.length,
    parameter.length + 1 + token.length,
    stream.length + parameters.length,
    app.length + 1 + stream.length + parameters.length,
  ];
  const cut = lengths.find(isCutLength);
  return cut === undefined ? "" : ` (probably cut by the client: it sent ${cut} characters)`;
}

function trimmed(token: string): string {
  let end = token.length;
  while (end > 0 && (token[end - 1] === "=" || token[end - 1] === " ")) end--;
  return token.slice(0, end).trim();
}
