import type * as z from "zod/mini";
import { type Config, CONFIG_KEYS, type ConfigKey, configSchema, type VhostConfig } from "./config.ts";
import { checkConfig } from "./config_checks.ts";
import { ConfigError, type ConfigIssue, unknownNameMessage, VARIABLE_PREFIX } from "./config_error.ts";
import { isTable, type RawConfig, type RawPath, valueAt } from "./raw_config.ts";

type ZodIssue = z.core.$ZodIssue;

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws {ConfigError} With every issue that was found.
 */
export function validateConfig(raw: RawConfig): { config: Config; warnings: string[] } {
  const parsed = configSchema.safeParse(raw.values, { jitless: true });
  const issues = (parsed.error?.issues ?? []).flatMap((issue) => configIssues(issue, raw));
  if (parsed.data === undefined || issues.length > 0) throw new ConfigError(inOrder(issues));
  const config = resolve(parsed.data);
  const found = checkConfig(config);
  if (found.errors.length > 0) {
    throw new ConfigError(inOrder(found.errors.map(({ path, message }) => ({
      ...raw.locate(path),
      path: path.join("."),
      message,
    }))));
  }
  return { config, warnings: [...raw.warnings, ...found.warnings] };
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
      const message = unknownNameMessage("key", name, knownKeys(path, name));
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
  if (known === undefined) return `value is ${show(value)}, must be a table`;
  if (issue.code === "custom" && issue.message.startsWith("value is ")) return issue.message;
  return `value is ${known.secret === true ? "hidden" : show(value)}, must be ${known.expects}`;
}

/** The keys of the table at `path`; or, where `name` is the name of one key elsewhere, that one. */
function knownKeys(path: RawPath, name: string): string[] {
  const elsewhere = CONFIG_KEYS.filter((key) => key.path.at(-1) === name);
  if (elsewhere.length === 1) return elsewhere.map((key) => key.path.join(".").replace("*", "NAME"));
  const inside = CONFIG_KEYS.filter((key) =>
    path.every((step, index) => key.path[index] === "*" || key.path[index] === step)
  );
  return [...new Set(inside.map((key) => key.path[path.length] ?? ""))];
}

function isAtOrBelow(path: RawPath, key: { path: RawPath }): boolean {
  return path.length >= key.path.length &&
    key.path.every((step, index) => step === "*" || step === path[index]);
}

/** A value for a message: short, and never a table's content. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (isTable(value)) return "a table";
  if (value instanceof Date) return "a date";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** By line; and one issue a variable, which would else be named once for each vhost. */
function inOrder(issues: ConfigIssue[]): ConfigIssue[] {
  const seen = new Set<string>();
  const distinct = issues.filter(({ file }) => {
    if (!file.startsWith(VARIABLE_PREFIX)) return true;
    if (seen.has(file)) return false;
    seen.add(file);
    return true;
  });
  return distinct.toSorted((a, b) => a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : 0);
}
