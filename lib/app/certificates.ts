import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../base/clock.ts";
import { inBackground } from "../base/background.ts";
import { errorText } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { checkKeyPair } from "./key_pair.ts";
import { readProblem } from "./read_problem.ts";
import type { CheckedKeyPair, KeyPairFiles } from "./checked_key_pair.ts";
import { keyPairFiles, type ServedCertificate, type TlsSection } from "./tls_sections.ts";

const log = getLogger(["headwater", "tls"]);

/** How often the files are looked at, in milliseconds. */
const LOOK_MS = 10_000;
/** So many days before a certificate ends it is said, once a day. */
const WARN_DAYS = 14;
const DAY_MS = 86_400_000;

/** A certificate and when it ends, for the API. */
export interface CertificateExpiry {
  readonly section: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

export interface CertificatesOptions {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly config: () => Config;
  readonly served: readonly ServedCertificate[];
  /** Reads a file. */
  readonly read?: (path: string) => Promise<string>;
}

/**
 * Keeps the certificates of a running server as their files are. What is in the files is compared, not their times, so that it does not
 * matter how they are replaced: written over, renamed, or reached through links that are changed, as certbot does. One that can't be used
 * never replaces one that can.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #read: (path: string) => Promise<string>;
  /** By section, what was found last and could not be used, and whether that was said. */
  readonly #refused = new Map<TlsSection, { readonly found: string; isSaid: boolean }>();
  #timer: Timer | undefined;
  #warnedAtMs = -Infinity;

  constructor(options: CertificatesOptions) {
    this.#options = options;
    this.#read = options.read ?? ((path) => Deno.readTextFile(path));
  }

  /** Looks from time to time, until `stop`. */
  start(): void {
    if (this.#options.served.length === 0) return;
    this.warnOfExpiry();
    this.#lookLater();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** When each ends. */
  expiries(): CertificateExpiry[] {
    return this.#options.served.map(({ section, keyPair: { expiresAtMs } }) => ({ section, expiresAtMs }));
  }

  /** Looks at once, and says at once what can't be used: somebody has asked for it. */
  async reload(): Promise<void> {
    for (const served of this.#options.served) await this.#look(served, true);
    this.warnOfExpiry();
  }

  /** Looks at all files; what can't be used is said when it is still there the next time, since files are replaced one by one. */
  async look(): Promise<void> {
    for (const served of this.#options.served) await this.#look(served, false);
    if (this.#options.wallNow() - this.#warnedAtMs >= DAY_MS) this.warnOfExpiry();
  }

  /** Says which certificates end soon, or have ended. */
  warnOfExpiry(): void {
    const nowMs = this.#warnedAtMs = this.#options.wallNow();
    for (const { section, keyPair: { expiresAtMs, names } } of this.#options.served) {
      const properties = { section, names, expires: new Date(expiresAtMs).toISOString() };
      const days = Math.floor((expiresAtMs - nowMs) / DAY_MS);
      if (expiresAtMs <= nowMs) log.error("Certificate has expired: clients refuse it", properties);
      else if (days < WARN_DAYS) log.warn("Certificate expires soon", { ...properties, days });
    }
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      const looked = this.look().finally(() => {
        if (this.#timer !== undefined) this.#lookLater();
      });
      inBackground(looked, "looking at certificates");
    }, LOOK_MS);
  }

  async #look(served: ServedCertificate, isAsked: boolean): Promise<void> {
    const { section, listeners, keyPair: old } = served;
    const files = keyPairFiles(this.#options.config(), section);
    let found = "";
    try {
      const [cert, key] = await Promise.all([
        this.#readPem(`${section}.cert`, files.cert),
        this.#readPem(`${section}.key`, files.key),
      ]);
      if (cert === old.cert && key === old.key) {
        this.#refused.delete(section);
        return;
      }
      // Tried again each time: what keeps it from being used may pass, such as a want of descriptors.
      found = `${cert}\n${key}`;
      const keyPair = checkKeyPair(section, files, { cert, key });
      this.#checkExpiry(section, files, keyPair, old);
      for (const listener of listeners) listener.renew(keyPair);
      served.keyPair = keyPair;
      this.#refused.delete(section);
      const { names, expiresAtMs } = keyPair;
      log.info("Certificate renewed", { section, names, expires: new Date(expiresAtMs).toISOString() });
    } catch (error) {
      const reason = errorText(error);
      const last = this.#refused.get(section);
      const what = found || reason;
      const isStill = last?.found === what;
      const wasSaid = isStill && last.isSaid;
      const isSaidNow = isAsked || (isStill && !wasSaid);
      if (isSaidNow) log.error("Certificate not renewed: the old one stays in use", { section, reason });
      this.#refused.set(section, { found: what, isSaid: wasSaid || isSaidNow });
    }
  }

  #checkExpiry(section: TlsSection, files: KeyPairFiles, next: CheckedKeyPair, old: CheckedKeyPair): void {
    const nowMs = this.#options.wallNow();
    if (next.expiresAtMs > nowMs || old.expiresAtMs <= nowMs) return;
    throw new RangeError(
      `Cannot use ${section}.cert ${files.cert}: it has expired, on ${
        new Date(next.expiresAtMs).toISOString()
      }`,
    );
  }

  async #readPem(key: string, path: string): Promise<string> {
    try {
      return await this.#read(path);
    } catch (error) {
      throw new RangeError(`Cannot use ${key} ${path}: ${readProblem(error)}`);
    }
  }
}
