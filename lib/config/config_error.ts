import { nearestName } from "./nearest_name.ts";
import { escapeUnprintable, shortText } from "../base/printable.ts";

/** What a position's file begins with when the setting came from the environment. */
export const VARIABLE_PREFIX = "environment variable ";

/** Where a setting was written. */
export interface ConfigPosition {
  /** The file as it was named, or `environment variable NAME`, or `built-in defaults`. */
  readonly file: string;
  /** From 1; absent for what has no lines. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

/** One thing that is wrong with a configuration. */
export interface ConfigIssue extends ConfigPosition {
  /** The key, dotted, as in `vhost.example.com.play.mw_latency`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, without the position and without a full stop. */
  readonly message: string;
}

/** More than anyone reads at once. */
const MAX_ISSUES = 100;

/** A configuration that cannot be used. Its message is one `file:line: reason` a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Everything that was found, in the order of the file. */
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], options?: ErrorOptions) {
    const lines = issues.slice(0, MAX_ISSUES).map(formatIssue);
    const more = issues.length - lines.length;
    super([...lines, ...(more === 0 ? [] : [`and ${more} more errors`])].join("\n"), options);
    this.issues = issues;
  }
}

/** `file:line: reason`, as compilers write it, so that editors can jump there. */
export function formatIssue(issue: ConfigIssue): string {
  return escapeUnprintable(`${formatPosition(issue)}: ${issue.message}`);
}

/** `file:line`, or the file alone. */
export function formatPosition(position: ConfigPosition): string {
  return position.line === undefined ? position.file : `${position.file}:${position.line}`;
}

/**
 * The message for a name that is not known.
 *
 * @param kind What it was meant to be, as in `key` or `directive`.
 * @param known The names that would have been right there.
 * @param prefix What `name` and all of them begin with.
 */
export function unknownNameMessage(
  kind: string,
  name: string,
  known: Iterable<string>,
  prefix: string = "",
): string {
  const nearest = nearestName(name.slice(prefix.length), [...known].map((each) => each.slice(prefix.length)));
  const unknown = `unknown ${kind} '${shortText(name)}'`;
  return nearest === undefined ? unknown : `${unknown}: did you mean '${prefix}${nearest}'?`;
}
