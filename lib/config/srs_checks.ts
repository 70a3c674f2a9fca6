import { type ConfigIssue, formatPosition } from "./config_error.ts";
import { shortText } from "../base/printable.ts";
import { SRS_MAPPINGS, SRS_NAMES, type SrsReader } from "./srs_directives.ts";
import type { SrsDirective } from "./srs_parser.ts";

/** Directives that a block may hold several of. */
const REPEATABLE = new Set([
  "vhost",
  "stream_caster",
  "vhost.ingest",
  "vhost.ingest.engine",
  "vhost.transcode",
  "vhost.transcode.engine",
  "vhost.exec.publish",
  "vhost.security.allow",
  "vhost.security.deny",
]);

/** How the arguments of each directive of ours are read, those among them that need a thought. */
const READERS: ReadonlyMap<string, SrsReader> = new Map([
  ...SRS_MAPPINGS.map(({ directive, reader }) => [directive, reader] as const),
  ["srs_log_tank", "text"],
  ["srs_log_file", "text"],
  ["srs_log_level", "text"],
  ["srs_log_level_v2", "text"],
  ["http_api.auth.type", "text"],
  ["vhost.publish.mr", "offUnlessOn"],
  ["vhost.publish.mr_latency", "integer"],
]);

/** Blocks of ours, which are nothing without their braces. */
const BLOCKS = new Set([...READERS.keys()].flatMap((path) => {
  const steps = path.split(".").slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join("."));
}));

/** Directives that stand in one block twice and differ: SRS takes the first and says nothing of the other. */
export function* repeatedDirectives(
  directives: readonly SrsDirective[],
  block: string,
): Iterable<ConfigIssue> {
  if (SRS_NAMES[block] === undefined) return;
  const seen = new Map<string, SrsDirective>();
  for (const directive of directives) {
    const { name, args, children, position } = directive;
    const path = block === "" ? name : `${block}.${name}`;
    const isVhost = path === "vhost";
    if (isVhost || !REPEATABLE.has(path)) {
      const what = isVhost ? `vhost ${args[0]}` : name;
      const first = seen.get(what);
      if (first === undefined) {
        seen.set(what, directive);
      } else if (isVhost || !isSameValue(first, directive)) {
        const { file, line } = first.position;
        const where = file === position.file ? `on line ${line}` : `in ${formatPosition(first.position)}`;
        yield { ...position, path, message: `'${shortText(what)}' is set twice, first ${where}` };
      }
    }
    yield* repeatedDirectives(children, path);
  }
}

function isSameValue(a: SrsDirective, b: SrsDirective): boolean {
  return a.isBlock !== true && b.isBlock !== true && JSON.stringify(a.args) === JSON.stringify(b.args);
}

/** Directives of ours whose values are not of a kind that they take. */
export function* wrongArguments(directives: readonly SrsDirective[], block: string): Iterable<ConfigIssue> {
  for (const directive of directives) {
    const path = block === "" ? directive.name : `${block}.${directive.name}`;
    const reader = READERS.get(path);
    const reason = reader !== undefined
      ? valueProblem(directive, reader)
      : BLOCKS.has(path) && directive.isBlock === false
      ? `must be a block, '${directive.name} { ... }'`
      : undefined;
    if (reason !== undefined) {
      yield { ...directive.position, path, message: `Cannot use ${path}: ${reason}` };
    }
    if (BLOCKS.has(path)) yield* wrongArguments(directive.children, path);
  }
}

function valueProblem({ args, isBlock, isEmptyText }: SrsDirective, reader: SrsReader): string | undefined {
  const [first, second] = args;
  if (isBlock === true) return "it takes a value, not a block";
  if (first === undefined) return isEmptyText === true && reader === "text" ? undefined : "it has no value";
  if (reader === "list") return undefined;
  if (second !== undefined) return `it takes one value, not '${shortText(args.join(" "))}'`;
  const isSwitch = reader === "offUnlessOn" || reader === "onUnlessOff";
  return isSwitch && first !== "on" && first !== "off"
    ? `value is ${JSON.stringify(shortText(first))}, must be on or off`
    : undefined;
}
