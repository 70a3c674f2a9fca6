import type { ConfigPosition } from "./config_error.ts";
import { findDirective, type SrsDirective } from "./srs_parser.ts";
import { SRS_MAPPINGS, type SrsReader } from "./srs_directives.ts";

/** One key of ours with the value that an SRS directive gives it. */
export interface SrsSetting {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly position: ConfigPosition;
  /** Of a list that several directives make: where each of its elements stands. */
  readonly itemPositions?: readonly ConfigPosition[];
}

/** SRS's older level names; its `trace` is what everybody else calls info. */
const OLD_LOG_LEVELS: Readonly<Record<string, string>> = {
  verbose: "trace",
  info: "debug",
  trace: "info",
  warn: "warn",
  error: "error",
};

/** Where SRS logs when it is told to use a file and not which. */
const DEFAULT_LOG_FILE = "./objs/srs.log";
/** SRS's merged read when it is on and has no number, in ms. */
const DEFAULT_MR_LATENCY = 350;

/** The settings of a server's own directives, vhosts left out. */
export function serverSettings(root: SrsDirective[]): SrsSetting[] {
  return [...withoutOtherCredentials(mappedSettings(root, [], []), root), ...logSettings(root)];
}

/** SRS asks for what the type says, whatever else is there; here a token beside a password would open the API too. */
function withoutOtherCredentials(settings: SrsSetting[], root: SrsDirective[]): SrsSetting[] {
  const isBearer = findAt(root, ["http_api", "auth", "type"])?.args[0] === "bearer";
  const others = isBearer ? ["username", "password"] : ["token"];
  return settings.filter(({ path: [first, second, third] }) =>
    first !== "http_api" || second !== "auth" || third === undefined || !others.includes(third)
  );
}

/** The settings of one vhost's block. */
export function vhostSettings(block: SrsDirective[], name: string): SrsSetting[] {
  return [
    ...mappedSettings(block, ["vhost"], ["vhost", name]),
    ...securityRules(block, name),
    ...mergedRead(block, name),
  ];
}

function mappedSettings(
  directives: SrsDirective[],
  from: readonly string[],
  to: readonly string[],
): SrsSetting[] {
  const prefix = from.map((step) => `${step}.`).join("");
  return SRS_MAPPINGS.flatMap((mapping): SrsSetting[] => {
    if (prefix === "" ? mapping.directive.startsWith("vhost.") : !mapping.directive.startsWith(prefix)) {
      return [];
    }
    const directive = findAt(directives, mapping.directive.slice(prefix.length).split("."));
    if (directive === undefined || directive.args.length === 0) return [];
    const path = [...to, ...mapping.key.slice(prefix.length).split(".")];
    return [{ path, value: readArgs(directive.args, mapping.reader), position: directive.position }];
  });
}

function findAt(directives: SrsDirective[], path: readonly string[]): SrsDirective | undefined {
  const [name, ...rest] = path;
  const directive = name === undefined ? undefined : findDirective(directives, name);
  return rest.length === 0 || directive === undefined ? directive : findAt(directive.children, rest);
}

function readArgs(args: string[], reader: SrsReader): unknown {
  const first = args[0] ?? "";
  switch (reader) {
    case "offUnlessOn":
      return first === "on";
    case "onUnlessOff":
      return first !== "off";
    case "integer":
      return readNumber(first, Math.trunc);
    case "integerNotBelowZero":
      return readNumber(first, (value) => Math.max(0, Math.trunc(value)));
    case "seconds":
      return readNumber(first, Math.ceil);
    case "secondsInMs":
      return readNumber(first, (seconds) => Math.round(seconds * 1000));
    case "text":
      return first;
    case "list":
      return args;
    default:
      return reader satisfies never;
  }
}

/** As C's `atoi`, which stops at what is no digit; but a text without a digit stays one, to be complained about. */
function readNumber(text: string, round: (value: number) => number): unknown {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? round(value) : text;
}

function logSettings(root: SrsDirective[]): SrsSetting[] {
  const settings: SrsSetting[] = [];
  const tank = findDirective(root, "srs_log_tank");
  const file = findDirective(root, "srs_log_file");
  const target = file ?? tank;
  if (target !== undefined) {
    const value = tank?.args[0] === "console" ? "" : file?.args[0] ?? DEFAULT_LOG_FILE;
    settings.push({ path: ["log_file"], value, position: target.position });
  }
  const newLevel = findDirective(root, "srs_log_level_v2");
  const oldLevel = findDirective(root, "srs_log_level");
  const level = newLevel ?? oldLevel;
  const word = level?.args[0];
  if (level !== undefined && word !== undefined) {
    const value = newLevel === undefined ? OLD_LOG_LEVELS[word] ?? word : word;
    settings.push({ path: ["log_level"], value, position: level.position });
  }
  return settings;
}

/** Each `allow` and `deny` is a rule. */
function securityRules(block: SrsDirective[], vhost: string): SrsSetting[] {
  const section = findDirective(block, "security")?.children ?? [];
  const rules = section.filter(({ name }) => name === "allow" || name === "deny");
  const [first] = rules;
  if (first === undefined) return [];
  return [{
    path: ["vhost", vhost, "security", "rules"],
    value: rules.map(({ name, args }) => [name, ...args].join(" ")),
    position: first.position,
    itemPositions: rules.map(({ position }) => position),
  }];
}

/** SRS's merged read has a switch and a time; ours has a time, and 0 is off. */
function mergedRead(block: SrsDirective[], vhost: string): SrsSetting[] {
  const mr = findAt(block, ["publish", "mr"]);
  if (mr === undefined) return [];
  const latency = findAt(block, ["publish", "mr_latency"]);
  const on = mr.args[0] === "on";
  const value = on ? readNumber(latency?.args[0] ?? String(DEFAULT_MR_LATENCY), Math.trunc) : 0;
  const { position } = on && latency !== undefined ? latency : mr;
  return [{ path: ["vhost", vhost, "publish", "mr_latency"], value, position }];
}
