import { JwksKeys, type JwksOptions } from "../access/jwks_keys.ts";
import { ConfiguredKey, loadJose, type TokenKeys } from "../access/token_keys.ts";
import { inBackground } from "../base/background.ts";
import type { VhostConfig } from "../config/config.ts";

/** Where the keys of a node's vhosts come from. A set of keys that was got once stays, whatever is reloaded: its server may be down. */
export class TokenKeySource {
  readonly #options: Omit<JwksOptions, "url">;
  readonly #sets = new Map<string, JwksKeys>();
  #isUsed = false;

  constructor(options: Omit<JwksOptions, "url">) {
    this.#options = options;
  }

  /** The keys of a vhost, as a configuration that was checked says it. */
  keysOf({ secret, public_key: publicKey, jwks: url }: VhostConfig["tokens"]): TokenKeys {
    this.#isUsed = true;
    if (secret !== "") return ConfiguredKey.ofSecret(secret);
    if (publicKey !== "") return ConfiguredKey.ofPem(Deno.readTextFileSync(publicKey));
    let keys = this.#sets.get(url);
    if (keys === undefined) this.#sets.set(url, keys = new JwksKeys({ ...this.#options, url }));
    return keys;
  }

  /** Loads and fetches what the first token would wait for. */
  prepare(): void {
    if (this.#isUsed) inBackground(loadJose(), "loading the library for tokens");
    for (const keys of this.#sets.values()) inBackground(keys.prepare(), "fetching a JWKS");
  }
}
