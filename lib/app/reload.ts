import type { Config } from "../config/config.ts";
import { isTable, setValue, valueAt } from "../config/raw_config.ts";

/** What a running server can't change: its ports, and who it is to its coworkers. Every other key counts after a reload. */
export const RESTART_KEYS: readonly (readonly string[])[] = [
  ["listen"],
  ["server_id"],
  ["http_api", "enabled"],
  ["http_api", "listen"],
  ["http_api", "https", "enabled"],
  ["http_api", "https", "listen"],
  ["http_server", "enabled"],
  ["http_server", "listen"],
  ["http_server", "https", "enabled"],
  ["http_server", "https", "listen"],
  ["exporter", "enabled"],
  ["exporter", "listen"],
  ["rtmps", "enabled"],
  ["rtmps", "listen"],
];

/** What a reload makes of a new configuration. */
export interface ReloadPlan {
  /** The new configuration with the running one's values where only a restart can change them. */
  readonly config: Config;
  /** The keys, dotted, that want another value than they keep. */
  readonly needRestart: string[];
}

/** Holds a new configuration against the one that runs. */
export function planReload(running: Config, wanted: Config): ReloadPlan {
  const config = copyOf(wanted);
  const needRestart: string[] = [];
  for (const path of RESTART_KEYS) {
    const value = valueAt({ ...running }, path);
    if (JSON.stringify(value) === JSON.stringify(valueAt({ ...wanted }, path))) continue;
    needRestart.push(path.join("."));
    setValue(config, path, value);
  }
  return { config, needRestart };
}

/** A copy whose tables can be changed. */
function copyOf<T extends object>(table: T): T & Record<string, unknown> {
  const entries = Object.entries(table).map((
    [name, value],
  ) => [name, isTable(value) ? copyOf(value) : value]);
  return Object.fromEntries(entries);
}
