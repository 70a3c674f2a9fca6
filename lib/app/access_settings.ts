import { getLogger } from "@logtape/logtape";
import type { AccessChecks } from "../access/access.ts";
import type { AccessCheck } from "../access/access_check.ts";
import type { AccessAction } from "../access/access_request.ts";
import { AddressRules } from "../access/address_rules.ts";
import {
  type HookCallSettings,
  HookClient,
  MAX_REQUESTS_PER_SERVER,
  shownUrl,
} from "../access/hook_client.ts";
import { type HookEvents, HOOKS, Hooks, type HookSettings } from "../access/hooks.ts";
import { Referrer, type ReferrerSettings } from "../access/referrer.ts";
import { Tokens } from "../access/tokens.ts";
import { type AddressRule, parseAddressRule } from "../base/address_rule.ts";
import type { Clock } from "../base/clock.ts";
import type { Config, VhostConfig } from "../config/config.ts";
import type { HttpPoster } from "../net/http_post.ts";
import { SIGNATURE } from "./settings.ts";
import type { TokenKeySource } from "./token_key_source.ts";

const log = getLogger(["headwater", "access"]);

/** What a configuration says of who may come into one vhost; what is absent is not asked. */
export interface AccessSettings {
  readonly security?: readonly AddressRule[];
  readonly tokens?: VhostConfig["tokens"];
  readonly refer?: ReferrerSettings;
  readonly hooks?: HookSettings;
}

/** What the checks of a node need to ask others. */
export interface AccessServices {
  readonly hooks: HookEvents;
  readonly tokenKeys: TokenKeySource;
}

/** Who may come in, by every enabled vhost. */
export function accessSettings(config: Config): Map<string, AccessSettings> {
  const settings = new Map<string, AccessSettings>();
  for (const [name, vhost] of Object.entries(config.vhost)) {
    if (vhost.enabled) settings.set(name, oneVhost(vhost));
  }
  return settings;
}

function oneVhost({ security, tokens, refer, http_hooks: hooks }: VhostConfig): AccessSettings {
  return {
    ...(security.enabled ? { security: security.rules.map(parseAddressRule) } : {}),
    ...(tokens.enabled ? { tokens } : {}),
    ...(refer.enabled ? { refer } : {}),
    ...(hooks.enabled ? { hooks: hookSettings(hooks) } : {}),
  };
}

function hookSettings(hooks: VhostConfig["http_hooks"]): HookSettings {
  const { on_connect, on_close, on_publish, on_unpublish, on_play, on_stop, on_dvr } = hooks;
  return {
    urls: { on_connect, on_close, on_publish, on_unpublish, on_play, on_stop, on_dvr },
    onFailure: hooks.on_failure,
    ...hookCallSettings(hooks),
  };
}

/** How the hooks of a vhost are called, whatever they ask. */
export function hookCallSettings(hooks: VhostConfig["http_hooks"]): HookCallSettings {
  return {
    timeoutMs: hooks.timeout_ms,
    tls: {
      ...(hooks.ca === "" ? {} : { ca: Deno.readTextFileSync(hooks.ca) }),
      isUnverified: !hooks.tls_verify,
    },
  };
}

/** The checks of every vhost. */
export function accessChecks(config: Config, services: AccessServices): AccessChecks {
  return new Map(
    [...accessSettings(config)].map(([name, settings]) => [name, [...checksOf(settings, services)]]),
  );
}

/** What nobody does without a token. */
function tokenActions(tokens: VhostConfig["tokens"]): AccessAction[] {
  return (["publish", "play"] as const).filter((action) => tokens[action]);
}

/** In the order in which they are asked, what costs least and tells least first: address rules, tokens, referrers, hooks. */
function* checksOf(
  { security, tokens, refer, hooks }: AccessSettings,
  services: AccessServices,
): Iterable<AccessCheck> {
  if (security !== undefined) yield new AddressRules(security);
  if (tokens !== undefined) {
    yield new Tokens({
      actions: tokenActions(tokens),
      parameter: tokens.parameter,
      keys: services.tokenKeys.keysOf(tokens),
      wallNow: Date.now,
    });
  }
  if (refer !== undefined) yield new Referrer(refer);
  if (hooks !== undefined) yield new Hooks(hooks, services.hooks);
}

/** What a node calls hooks by. */
export function hookClient(poster: HttpPoster, clock: Clock): HookClient {
  return new HookClient({
    post: (...request) => poster.post(...request),
    clock,
    userAgent: SIGNATURE,
  });
}

/** Says who is asked, so that a file that was edited in vain is seen. */
export function logAccess(config: Config): void {
  for (
    const [vhost, { enabled, security, tokens, refer, http_hooks: hooks }] of Object.entries(config.vhost)
  ) {
    if (!enabled) continue;
    if (security.enabled) log.info("Address rules", { vhost, rules: security.rules.join("; ") });
    if (tokens.enabled) {
      const { parameter, public_key: publicKey, jwks } = tokens;
      const by = publicKey !== "" ? publicKey : jwks !== "" ? shownUrl(jwks) : "a secret";
      log.info("Tokens", { vhost, to: tokenActions(tokens).join(" "), parameter, by });
    }
    if (refer.enabled) {
      const { all, publish, play } = refer;
      log.info("Referrers", { vhost, all: all.join(" "), publish: publish.join(" "), play: play.join(" ") });
    }
    for (const hook of hooks.enabled ? HOOKS : []) {
      if (hooks[hook].length > 0) {
        log.info("Hook", { vhost, hook, urls: hooks[hook].map(shownUrl).join(" ") });
      }
    }
  }
}

/** Connections that hooks may have open at a time. */
export function hookConnections(config: Config): number {
  const urls = Object.values(config.vhost).flatMap(({ enabled, http_hooks: hooks }) =>
    enabled && hooks.enabled ? HOOKS.flatMap((hook) => hooks[hook]) : []
  );
  return new Set(urls.map((url) => new URL(url).host)).size * MAX_REQUESTS_PER_SERVER;
}
