import { type AccessCheck, AccessRefusal } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";

/** A vhost's `refer`: the domains that a client's page may be of; an empty list asks nothing. */
export interface ReferrerSettings {
  readonly all: readonly string[];
  readonly publish: readonly string[];
  readonly play: readonly string[];
}

/**
 * Lets in clients by the page they play in, as SRS does, with one difference: a domain stands for itself and what is below it, where SRS
 * also takes `evil-example.com` for `example.com`. Who names no page is refused. Any program can claim any page: this keeps other
 * people's pages out, and nobody else.
 */
export class Referrer implements AccessCheck {
  readonly name = "refer";
  readonly #settings: ReferrerSettings;

  constructor(settings: ReferrerSettings) {
    this.#settings = settings;
  }

  decides(action: AccessAction): boolean {
    return this.#settings.all.length > 0 || this.#settings[action].length > 0;
  }

  check({ action, pageUrl }: AccessRequest): void {
    const host = hostOfPage(pageUrl);
    for (const list of ["all", action] as const) {
      const domains = this.#settings[list];
      if (domains.length === 0 || domains.some((domain) => isWithin(host, domain))) continue;
      throw new AccessRefusal(
        host === ""
          ? `refer ${list}: the client names no page`
          : `refer ${list}: the page is of '${host.slice(0, 100)}'`,
      );
    }
  }
}

/** The host of a page's URL in lower case; empty where there is none. */
function hostOfPage(pageUrl: string): string {
  const scheme = pageUrl.indexOf("://");
  const authority = pageUrl.slice(scheme < 0 ? 0 : scheme + 3).split(/[/?#\\]/, 1)[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return (host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : host.split(":", 1)[0] ?? "")
    .toLowerCase();
}

function isWithin(host: string, domain: string): boolean {
  const name = domain.toLowerCase().replace(/^\./, "");
  return host === name || host.endsWith(`.${name}`);
}
