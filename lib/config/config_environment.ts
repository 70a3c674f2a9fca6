import { CONFIG_KEYS, type ConfigKey } from "./config.ts";
import { type ConfigIssue, unknownNameMessage, VARIABLE_PREFIX } from "./config_error.ts";
import type { KeyKind } from "./config_key.ts";
import { isTable, PositionMap, type RawConfig, setValue } from "./raw_config.ts";
import { wrongArguments } from "./srs_checks.ts";
import { SRS_MAPPINGS, SRS_SPECIAL } from "./srs_directives.ts";
import { unsupportedAccessVariables } from "./srs_access.ts";
import type { SrsDirective } from "./srs_parser.ts";
import { serverSettings, vhostSettings } from "./srs_settings.ts";

/** Names of the process's environment, with their values. */
export type Environment = Readonly<Record<string, string>>;

const PREFIX = "HEADWATER_";
const SRS_PREFIX = "SRS_";
/** Names the file; whoever reads it has done so before. */
export const CONFIG_VARIABLE = "HEADWATER_CONFIG";
const NO_KEYS: ReadonlySet<string> = new Set([CONFIG_VARIABLE]);

const KEY_OF_VARIABLE: ReadonlyMap<string, ConfigKey> = new Map(
  CONFIG_KEYS.map((key) => [variableName(key.path), key]),
);

/** The directives that the environment may set, by their variables. */
function directivesOfVariables(): ReadonlyMap<string, string> {
  const directives = [...SRS_MAPPINGS.map(({ directive }) => directive), ...SRS_SPECIAL];
  return new Map([
    ...directives.map((name) => [SRS_PREFIX + name.toUpperCase().replaceAll(".", "_"), name] as const),
    ["SRS_LOG_TANK", "srs_log_tank"],
    ["SRS_LOG_FILE", "srs_log_file"],
    ["SRS_LOG_LEVEL", "srs_log_level"],
    ["SRS_LOG_LEVEL_V2", "srs_log_level_v2"],
  ]);
}

const LIST_DIRECTIVES: ReadonlySet<string> = new Set(
  SRS_MAPPINGS.filter(({ reader }) => reader === "list").map(({ directive }) => directive),
);

/** The variable that overrides a key: `HEADWATER_` and its path. One of a vhost's key is for all vhosts. */
export function variableName(path: readonly string[]): string {
  return PREFIX + path.filter((step) => step !== "*").join("_").toUpperCase();
}

/**
 * Overrides a configuration, whose values it changes, with the environment: SRS's variables first, then ours. An empty
 * variable counts as not set, as in SRS. A `HEADWATER_` variable that is the name of no key is a mistake; values are
 * left to be checked with the rest.
 */
export function applyEnvironment(raw: RawConfig, environment: Environment): RawConfig {
  const vhosts = isTable(raw.values["vhost"]) ? Object.keys(raw.values["vhost"]) : [];
  const positions = new PositionMap();
  const { values } = raw;
  const set = (path: readonly string[], value: unknown, file: string): void => {
    setValue(values, path, value);
    positions.add(path, { file });
  };

  const directives = srsDirectives(environment);
  const { own, issues } = overrides(environment);
  // A later override of a path must also own its position, so ours are set last and added first.
  for (const { key, file } of own) {
    for (const path of paths(key.path, values)) positions.add(path, { file });
  }
  for (const { path, value, position } of serverSettings(directives)) set(path, value, position.file);
  const [vhostBlock] = directives.filter(({ name }) => name === "vhost");
  for (const vhost of vhostBlock === undefined ? [] : vhosts) {
    for (const { path, value, position } of vhostSettings(vhostBlock?.children ?? [], vhost)) {
      set(path, value, position.file);
    }
  }
  for (const { key, text, file } of own) {
    for (const path of paths(key.path, values)) set(path, readValue(text, key.kind), file);
  }
  return {
    values,
    warnings: raw.warnings,
    issues: [
      ...raw.issues,
      ...unsupportedAccessVariables(setVariables(environment), directivesOfVariables()),
      ...wrongArguments(directives, ""),
      ...issues,
    ],
    locate: (path) => positions.find(path) ?? raw.locate(path),
  };
}

/** The paths that a key stands for: each `*` is every name that the configuration has there. */
function paths(path: readonly string[], values: unknown): (readonly string[])[] {
  const [step, ...rest] = path;
  if (step === undefined) return [[]];
  const names = step !== "*" ? [step] : isTable(values) ? Object.keys(values) : [];
  return names.flatMap((name) => {
    const below = isTable(values) ? values[name] : undefined;
    return paths(rest, below).map((others) => [name, ...others]);
  });
}

/** One key that a variable of ours sets. */
interface Override {
  readonly key: ConfigKey;
  readonly text: string;
  readonly file: string;
}

function overrides(environment: Environment): { own: Override[]; issues: ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const own: Override[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === "" || NO_KEYS.has(name)) continue;
    if (isServiceVariable(name, text)) continue;
    const key = KEY_OF_VARIABLE.get(name);
    const file = VARIABLE_PREFIX + name;
    if (key !== undefined) own.push({ key, text, file });
    else {issues.push({
        file,
        path: "",
        message: unknownNameMessage("name", name, KEY_OF_VARIABLE.keys(), PREFIX),
      });}
  }
  return { own, issues };
}

/**
 * Whether Kubernetes has set a variable, as it does in every pod beside a Service that is called `headwater` or
 * `headwater-edge` (`HEADWATER_PORT=tcp://10.0.0.1:1935`, `HEADWATER_EDGE_SERVICE_PORT_RTMP=1935`).
 */
function isServiceVariable(name: string, text: string): boolean {
  if (/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(text)) return true;
  if (KEY_OF_VARIABLE.has(name)) return false;
  return /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(name) ||
    /_PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR)$/.test(name);
}

/** SRS's variables that are set. */
function setVariables(environment: Environment): string[] {
  return Object.keys(environment).filter((name) => name.startsWith(SRS_PREFIX) && environment[name] !== "");
}

/** SRS's variables as if they stood in a file; the `vhost` block among them is for all vhosts. */
function srsDirectives(environment: Environment): SrsDirective[] {
  const root: SrsDirective[] = [];
  const variables = setVariables(environment);
  if (variables.length === 0) return root;
  const directiveOf = directivesOfVariables();
  for (const name of variables) {
    const text = environment[name] ?? "";
    const directive = directiveOf.get(name);
    if (directive === undefined) continue;
    const position = { file: VARIABLE_PREFIX + name };
    let level = root;
    const steps = directive.split(".");
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      let child = level.find((other) => other.name === step);
      if (child === undefined) {
        child = { name: step, args: [], children: [], position, isBlock: !isLast };
        level.push(child);
      }
      if (isLast) child.args = LIST_DIRECTIVES.has(directive) ? splitWords(text) : [text];
      level = child.children;
    }
  }
  return root;
}

/** A text that is no value of the kind stays as it is, so that the check names the variable and the text. */
function readValue(text: string, kind: KeyKind): unknown {
  switch (kind) {
    case "boolean":
      return text === "true" || text === "on" ? true : text === "false" || text === "off" ? false : text;
    case "integer":
    case "latency":
      return /^\d+$/.test(text) ? Number(text) : text;
    case "list":
    case "listen":
      return splitWords(text);
    case "phrases":
      return text.split(/[,;]/).map((phrase) => phrase.trim()).filter((phrase) => phrase !== "");
    case "text":
      return text;
    default:
      return kind satisfies never;
  }
}

function splitWords(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}
