import { type ConfigIssue, type ConfigPosition, unknownNameMessage } from "./config_error.ts";
import { PositionMap, type RawConfig, type RawTable, setValue } from "./raw_config.ts";
import { repeatedDirectives, wrongArguments } from "./srs_checks.ts";
import { unsupportedAccess } from "./srs_access.ts";
import { modernizeDirectives } from "./srs_legacy.ts";
import { SRS_MAPPINGS, SRS_NAMES, SRS_NO_OPERATION, SRS_SPECIAL } from "./srs_directives.ts";
import { findDirective, parseSrsConfig, type SrsDirective, type SrsParserOptions } from "./srs_parser.ts";
import { serverSettings, type SrsSetting, vhostSettings } from "./srs_settings.ts";

/** What is off in SRS unless a file says otherwise, and on in a configuration of ours. */
const OFF_BY_DEFAULT: readonly (readonly string[])[] = [["http_api", "enabled"], ["http_server", "enabled"]];

/** What a vhost of an SRS file has before its directives are read. */
export function srsVhostDefaults(): RawTable {
  return { "http_remux": { enabled: false }, "http_hooks": { tls_verify: false } };
}

const HANDLED = new Set([...SRS_MAPPINGS.map(({ directive }) => directive), ...SRS_SPECIAL]);

/**
 * Reads an SRS `.conf` file: its grammar, its older forms, its defaults, and every directive that this server has.
 * The others are named in one warning; a name that SRS does not know either is a mistake.
 *
 * @param text The file's text.
 * @param file Its name, for messages.
 */
export function readSrsConfig(text: string, file: string, options: SrsParserOptions): RawConfig {
  const parsed = parseSrsConfig(text, file, options);
  const root = modernizeDirectives(parsed.directives);
  const issues = [
    ...parsed.issues,
    ...repeatedDirectives(parsed.directives, ""),
    ...unknownDirectives(root, ""),
    ...unsupportedAccess(root, "", HANDLED),
    ...wrongArguments(root, ""),
    ...(parsed.issues.length > 0 ? [] : refusals(root, file)),
  ];

  const warnings: string[] = [];
  const ignored = [...ignoredDirectives(root, "", file)];
  if (ignored.length > 0) {
    warnings.push(`${file}: ignored, not supported: ${[...new Set(ignored)].join(", ")}`);
  }

  const values: RawTable = {};
  for (const path of OFF_BY_DEFAULT) setValue(values, path, false);
  const positions = new PositionMap();
  const apply = (settings: SrsSetting[]): void => {
    for (const { path, value, position, itemPositions = [] } of settings) {
      setValue(values, path, value);
      positions.add(path, position);
      for (const [index, item] of itemPositions.entries()) positions.add([...path, index], item);
    }
  };
  apply(serverSettings(root));
  const vhosts = new Set<string>();
  for (const { name, args: [vhost], children, position } of root) {
    if (name !== "vhost" || vhost === undefined || vhosts.has(vhost)) continue;
    vhosts.add(vhost);
    positions.add(["vhost", vhost], position);
    setValue(values, ["vhost", vhost], srsVhostDefaults());
    apply(withoutOtherMounts(vhostSettings(children, vhost), vhost, warnings));
  }
  return { values, warnings, issues, locate: (path) => positions.find(path) ?? { file } };
}

function* unknownDirectives(directives: SrsDirective[], block: string): Iterable<ConfigIssue> {
  const known = SRS_NAMES[block];
  if (known === undefined) return;
  for (const { name, children, position } of directives) {
    const path = block === "" ? name : `${block}.${name}`;
    if (known.includes(name)) yield* unknownDirectives(children, path);
    else yield { ...position, path, message: unknownNameMessage("directive", name, known) };
  }
}

/** What SRS itself refuses. */
function* refusals(root: SrsDirective[], file: string): Iterable<ConfigIssue> {
  const refuse = (position: ConfigPosition, path: string, message: string): ConfigIssue => ({
    ...position,
    path,
    message,
  });
  if (root.length === 0) yield refuse({ file }, "", "Cannot use an empty file: nothing says where to listen");
  const isFull = findDirective(root, "is_full");
  if (isFull?.args[0] === "on") {
    yield refuse(isFull.position, "is_full", "Cannot use SRS's list of all directives as a configuration");
  }
  const auth = findDirective(findDirective(root, "http_api")?.children ?? [], "auth");
  const type = findDirective(auth?.children ?? [], "type");
  if (type !== undefined && type.args[0] !== "basic" && type.args[0] !== "bearer") {
    const message = `Cannot use http_api.auth.type: value is ${
      JSON.stringify(type.args[0] ?? "")
    }, must be basic or bearer`;
    yield refuse(type.position, "http_api.auth.type", message);
  }
  for (const { name, args, position } of root) {
    if (name !== "vhost") continue;
    if (args.length === 0) yield refuse(position, "vhost", "Cannot use a vhost without a name");
  }
}

function* ignoredDirectives(directives: SrsDirective[], block: string, file: string): Iterable<string> {
  for (const { name, args, children, position } of directives) {
    const path = block === "" ? name : `${block}.${name}`;
    if (HANDLED.has(path) || (args[0] !== undefined && SRS_NO_OPERATION[path] === args[0])) continue;
    if (path === "vhost.http_remux.hstrs") continue;
    if ([...HANDLED].some((handled) => handled.startsWith(`${path}.`))) {
      yield* ignoredDirectives(children, path, file);
    } else {
      const where = position.file === file ? "" : `${position.file} `;
      yield `${path} (${where}line ${position.line})`;
    }
  }
}

/** A mount of SRS may end in `.ts`, `.mp3` or `.aac`; such a vhost has no HTTP-FLV. */
function withoutOtherMounts(settings: SrsSetting[], vhost: string, warnings: string[]): SrsSetting[] {
  const isMount = ({ path }: SrsSetting): boolean => path[2] === "http_remux" && path[3] === "mount";
  const mount = settings.find(isMount);
  if (mount === undefined || !/\.(ts|mp3|aac)$/.test(String(mount.value))) return settings;
  const { file, line } = mount.position;
  warnings.push(`${file}:${line}: http_remux of vhost ${vhost} is off: only .flv mounts are supported`);
  return settings.filter((setting) => setting.path[2] !== "http_remux");
}
