import type * as z from "zod/mini";
import { type Config, CONFIG_KEYS, type ConfigKey, configSchema, type VhostConfig } from "./config.ts";
import { checkConfig } from "./config_checks.ts";
import {
  ConfigError,
  type ConfigIssue,
  formatIssue,
  unknownNameMessage,
  VARIABLE_PREFIX,
} from "./config_error.ts";
import { nearestName } from "./nearest_name.ts";
import { shortText } from "../base/printable.ts";
import { isTable, type RawConfig, type RawPath, type RawTable, showValue, valueAt } from "./raw_config.ts";

type ZodIssue = z.core.$ZodIssue;

/**
 * Checks a configuration and fills in its defaults. What is wrong is taken out of the values, so that the rest can be
 * checked too.
 *
 * @throws {ConfigError} With every issue that was found.
 */
export function validateConfig(raw: RawConfig): { config: Config; warnings: string[] } {
  const issues = [...raw.issues];
  const wrongTables = new Set(
    raw.issues.map(({ path }) => path === "" ? EVERY_TABLE : tableOf(path.split("."))),
  );
  let parsed = configSchema.safeParse(raw.values, { jitless: true });
  if (parsed.error !== undefined) {
    for (const issue of parsed.error.issues) issues.push(...configIssues(issue, raw));
    for (const path of parsed.error.issues.flatMap(wrongPaths)) {
      wrongTables.add(tableOf(path));
      deleteAt(raw.values, path);
    }
    parsed = configSchema.safeParse(raw.values, { jitless: true });
  }
  const config = parsed.data === undefined ? undefined : resolve(parsed.data);
  const found = config === undefined ? { errors: [], warnings: [] } : checkConfig(config);
  for (const { path, message, others } of found.errors) {
    // A value that is wrong may be the reason.
    if ([path, ...others].some((each) => wrongTables.has(tableOf(each)))) continue;
    if (wrongTables.has(EVERY_TABLE)) continue;
    issues.push({ ...raw.locate(path), path: path.join("."), message });
  }
  if (config === undefined || issues.length > 0) throw new ConfigError(inOrder(issues));
  return { config, warnings: [...raw.warnings, ...found.warnings] };
}

/** For a mistake that may concern any. */
const EVERY_TABLE = "*";

/** The table that a key stands in; those of all vhosts are the same. */
function tableOf(path: RawPath): string {
  return path.slice(0, -1).filter((_, index) => path[0] !== "vhost" || index !== 1).join(".");
}

/** Where the values are that an issue is about: whole keys, as one of a list's elements makes the list wrong. */
function wrongPaths(issue: ZodIssue): RawPath[] {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") return issue.keys.map((name) => [...path, name]);
  const list = path.findIndex((step) => typeof step === "number");
  return [list === -1 ? path : path.slice(0, list)];
}

function deleteAt(values: RawTable, path: RawPath): void {
  const table = valueAt(values, path.slice(0, -1));
  const last = path.at(-1);
  if (isTable(table) && last !== undefined) delete table[last];
}

/** Replaces the values that stand for others, so that nobody else needs to know them. */
function resolve(config: Config): Config {
  const vhosts = Object.entries(config.vhost).map(([name, vhost]): [string, VhostConfig] => {
    const { play, publish } = vhost;
    const latency = vhost.min_latency ? 0 : "auto";
    return [name, {
      ...vhost,
      chunk_size: vhost.chunk_size === 0 ? config.chunk_size : vhost.chunk_size,
      play: { ...play, mw_latency: play.mw_latency === "auto" ? latency : play.mw_latency },
      publish: { ...publish, mr_latency: publish.mr_latency === "auto" ? latency : publish.mr_latency },
    }];
  });
  return { ...config, vhost: Object.fromEntries(vhosts) };
}

function configIssues(issue: ZodIssue, raw: RawConfig): ConfigIssue[] {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => {
      const message = unquotedVhost(path, name, raw.values) ?? keyElsewhere(name) ??
        unknownNameMessage("key", name, knownKeys(path));
      return { ...raw.locate([...path, name]), path: [...path, name].join("."), message };
    });
  }
  const known = CONFIG_KEYS.find((candidate) => isAtOrBelow(path, candidate));
  const value = valueAt(raw.values, path);
  const name = (known === undefined ? path : path.slice(0, known.path.length)).join(".");
  return [{ ...raw.locate(path), path: name, message: `Cannot use ${name}: ${reason(issue, known, value)}` }];
}

function reason(issue: ZodIssue, known: ConfigKey | undefined, value: unknown): string {
  if (issue.code === "invalid_key") return "a vhost's name has no spaces and no slashes";
  if (known === undefined) return `value is ${showValue(value)}, must be a table`;
  if (issue.code === "custom" && issue.message.startsWith("value is ")) return issue.message;
  return `value is ${known.secret === true ? "hidden" : showValue(value)}, must be ${known.expects}`;
}

/** What TOML makes of `[vhost.live.example.com]`: a vhost `live` with a table `example` in it. */
function unquotedVhost(path: RawPath, name: string, values: RawTable): string | undefined {
  const [section, ...rest] = path;
  if (section !== "vhost" || rest.length !== 1) return undefined;
  const labels = [String(rest[0]), name];
  let inner = valueAt(values, [...path, name]);
  if (!isTable(inner) || nearestName(name, VHOST_KEYS) !== undefined) return undefined;
  while (isTable(inner) && labels.length < MAX_LABELS) {
    const [only, ...others] = Object.entries(inner);
    if (only === undefined || others.length > 0 || !isTable(only[1]) || VHOST_KEYS.has(only[0])) break;
    labels.push(only[0]);
    inner = only[1];
  }
  const vhost = shortText(labels.join("."));
  return `unknown key '${shortText(name)}': a vhost's name with dots needs quotes, as in [vhost."${vhost}"]`;
}

/** Of a host's name that is shown. */
const MAX_LABELS = 8;
const VHOST_KEYS: ReadonlySet<string> = new Set(
  CONFIG_KEYS.filter(({ path }) => path[0] === "vhost").map(({ path }) => path[2] ?? ""),
);

/** The key that was meant, where `name` is the name of just one, in another place. */
function keyElsewhere(name: string): string | undefined {
  const [key, ...others] = CONFIG_KEYS.filter(({ path }) => path.at(-1) === name);
  if (key === undefined || others.length > 0) return undefined;
  return `unknown key '${name}': did you mean '${key.path.join(".").replace("*", "NAME")}'?`;
}

/** The names that a table at `path` may hold. */
function knownKeys(path: RawPath): string[] {
  const inside = CONFIG_KEYS.filter((key) =>
    path.every((step, index) => key.path[index] === "*" || key.path[index] === step)
  );
  return [...new Set(inside.map((key) => key.path[path.length] ?? ""))];
}

function isAtOrBelow(path: RawPath, key: { path: RawPath }): boolean {
  return path.length >= key.path.length &&
    key.path.every((step, index) => step === "*" || step === path[index]);
}

/** By line, none twice; and one issue a variable, which would else be named once for each vhost. */
function inOrder(issues: ConfigIssue[]): ConfigIssue[] {
  const seen = new Set<string>();
  const distinct = issues.filter((issue) => {
    const id = issue.file.startsWith(VARIABLE_PREFIX) ? issue.file : formatIssue(issue);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
  return distinct.toSorted((a, b) => a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : 0);
}
