import { type ConfigIssue, VARIABLE_PREFIX } from "./config_error.ts";
import { SRS_NAMES } from "./srs_directives.ts";
import type { SrsDirective } from "./srs_parser.ts";

/** Blocks that say who may come in and over what: what is asked for there is done, or the file is refused. */
export const ACCESS_BLOCKS: readonly string[] = [
  "http_api.auth",
  "http_api.https",
  "http_server.https",
  "rtmps",
  "vhost.security",
  "vhost.refer",
  "vhost.http_hooks",
];

/** Of these what tells only of what this server does not do, HLS and WebRTC: leaving it out opens nothing. */
export const OPENS_NOTHING: ReadonlySet<string> = new Set([
  "vhost.http_hooks.on_hls",
  "vhost.http_hooks.on_hls_notify",
  "http_api.auth.rtc_bearer_enabled",
]);

const ACCESS_NAMES: ReadonlySet<string> = new Set(ACCESS_BLOCKS.map((path) => path.split(".").at(-1) ?? ""));

/**
 * What asks for access control that would not be there: a server that was closed must not open because it moved here.
 *
 * @param handled The directives that are ours.
 */
export function* unsupportedAccess(
  directives: readonly SrsDirective[],
  block: string,
  handled: ReadonlySet<string>,
): Iterable<ConfigIssue> {
  for (const { name, children, position } of directives) {
    const path = block === "" ? name : `${block}.${name}`;
    const isKnown = SRS_NAMES[block]?.includes(name) === true;
    if (isKnown && ACCESS_BLOCKS.includes(block) && !handled.has(path) && !OPENS_NOTHING.has(path)) {
      yield { ...position, path, message: refusal(path) };
    } else if (SRS_NAMES[block] === undefined && !ACCESS_BLOCKS.includes(path) && ACCESS_NAMES.has(name)) {
      // Elsewhere names are not checked.
      const places = ACCESS_BLOCKS.filter((known) => known.split(".").at(-1) === name).join(" or ");
      yield { ...position, path, message: `Cannot use ${path}: '${name}' stands in ${places}` };
    }
    yield* unsupportedAccess(children, path, handled);
  }
}

/** Variables of SRS's that ask for such a thing. */
export function* unsupportedAccessVariables(
  names: readonly string[],
  known: ReadonlyMap<string, string>,
): Iterable<ConfigIssue> {
  for (const name of names) {
    if (known.has(name) || [...OPENS_NOTHING].some((path) => variableOf(path) === name)) continue;
    const block = ACCESS_BLOCKS.find((path) => name.startsWith(`${variableOf(path)}_`));
    if (block === undefined) continue;
    const path = `${block}.${name.slice(variableOf(block).length + 1).toLowerCase()}`;
    yield { file: VARIABLE_PREFIX + name, path, message: refusal(path) };
  }
}

function variableOf(path: string): string {
  return `SRS_${path.toUpperCase().replaceAll(".", "_")}`;
}

function refusal(path: string): string {
  return `Cannot use ${path}: this server does not have it, and without it would let in more than is asked for`;
}
