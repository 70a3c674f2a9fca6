import type { AccessChecks } from "../access/access.ts";
import type { AccessCheck } from "../access/access_check.ts";
import { AddressRules } from "../access/address_rules.ts";
import { type AddressRule, parseAddressRule } from "../base/address_rule.ts";
import type { Config, VhostConfig } from "../config/config.ts";

/** What a configuration says of who may come into one vhost; what is absent is not asked. */
export interface AccessSettings {
  readonly security?: readonly AddressRule[];
}

/** Who may come in, by every enabled vhost. */
export function accessSettings(config: Config): Map<string, AccessSettings> {
  const settings = new Map<string, AccessSettings>();
  for (const [name, vhost] of Object.entries(config.vhost)) {
    if (vhost.enabled) settings.set(name, oneVhost(vhost));
  }
  return settings;
}

function oneVhost({ security }: VhostConfig): AccessSettings {
  return {
    ...(security.enabled ? { security: security.rules.map(parseAddressRule) } : {}),
  };
}

/** The checks of every vhost. */
export function accessChecks(config: Config): AccessChecks {
  return new Map([...accessSettings(config)].map(([name, settings]) => [name, [...checksOf(settings)]]));
}

/** In the order in which they are asked, what costs least and tells least first: address rules, tokens, referrers, hooks. */
function* checksOf({ security }: AccessSettings): Iterable<AccessCheck> {
  if (security !== undefined) yield new AddressRules(security);
}
