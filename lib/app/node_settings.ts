import type { HookCallSettings } from "../access/hook_client.ts";
import { AddressSet } from "../base/ip_address.ts";
import type { Config } from "../config/config.ts";
import type { ForwardSettings } from "../forward/forwards.ts";
import type { RecordingSettings } from "../outputs/recording/recording_settings.ts";
import type { ServerLimits } from "../server/server_runtime.ts";
import type { VhostRole } from "../server/vhost_role.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";
import { hookCallSettings } from "./access_settings.ts";
import { forwardSettings, recordingSettings, serverLimits, vhostSettings } from "./settings.ts";

/** What the parts of a node make of a configuration, once per load. */
export interface NodeSettings {
  readonly config: Config;
  readonly limits: ServerLimits;
  /** Every enabled vhost by its name. */
  readonly vhosts: ReadonlyMap<string, VhostSettings>;
  /** Those vhosts that forward something from here. */
  readonly forwards: ReadonlyMap<string, ForwardSettings>;
  /** Of every vhost that is no edge. */
  readonly recordings: ReadonlyMap<string, RecordingSettings>;
  /** How the hooks of a vhost are called; of every vhost. */
  readonly hookCalls: ReadonlyMap<string, HookCallSettings>;
  readonly trustedProxies: AddressSet;
}

export function nodeSettings(config: Config): NodeSettings {
  const forwards = new Map<string, ForwardSettings>();
  const recordings = new Map<string, RecordingSettings>();
  const hookCalls = new Map<string, HookCallSettings>();
  for (const [name, { http_hooks: hooks }] of Object.entries(config.vhost)) {
    hookCalls.set(name, hookCallSettings(hooks));
    const forward = forwardSettings(config, name);
    if (forward !== undefined) forwards.set(name, forward);
    const recording = recordingSettings(config, name);
    if (recording !== undefined) recordings.set(name, recording);
  }
  return {
    config,
    limits: serverLimits(config),
    vhosts: vhostSettings(config),
    forwards,
    recordings,
    hookCalls,
    trustedProxies: new AddressSet(config.trusted_proxies),
  };
}

/** Whether some vhost has this role. */
export function hasRole({ vhosts }: NodeSettings, kind: VhostRole["kind"]): boolean {
  return vhosts.values().some(({ role }) => role.kind === kind);
}
