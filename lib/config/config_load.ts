import { errorText } from "../base/errors.ts";
import { DEFAULT_VHOST } from "../base/stream_address.ts";
import type { Config } from "./config.ts";
import { applyEnvironment, CONFIG_VARIABLE, type Environment } from "./config_environment.ts";
import { type NamedFile, namedFiles } from "./config_checks.ts";
import { ConfigError, type ConfigIssue } from "./config_error.ts";
import { readSrsConfig, srsVhostDefaults } from "./config_srs.ts";
import { readTomlConfig } from "./config_toml.ts";
import { validateConfig } from "./config_validate.ts";
import { isTable, type RawConfig, type RawTable } from "./raw_config.ts";

/** The file that is read when none is named and it exists. */
export const DEFAULT_CONFIG_PATH = "conf/headwater.toml";

/** Where a configuration comes from. */
export interface LoadConfigOptions {
  /**
   * The file named on the command line, else the one that the variable `HEADWATER_CONFIG` names, else SRS's
   * `SRS_CONFIG_FILE`.
   * A name that ends in `.conf` is SRS's format, any other TOML.
   */
  readonly path?: string;
  readonly environment: Environment;
  /** The text of a file; `undefined` when there is none; throws when it cannot be read. */
  readonly readTextFile: (path: string) => string | undefined;
}

/** A configuration that can be used. */
export interface LoadedConfig {
  readonly config: Config;
  /** To be logged at the start and after a reload, a line each. */
  readonly warnings: readonly string[];
  /** The file that was read, or `built-in defaults`. */
  readonly source: string;
}

/**
 * Reads a configuration: the file, then what the environment overrides, then the checks.
 *
 * @throws {ConfigError} When it cannot be used: with every mistake that was found, one `file:line: reason` a line.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const { raw, source } = readSource(options);
  const withEnvironment = applyEnvironment(withVhost(raw, isSrsFile(source)), options.environment);
  const valid = validateConfig(withEnvironment);
  const missing = [...namedFiles(valid.config)].flatMap(({ path, file, check }): ConfigIssue[] => {
    const reason = fileProblem(file, check, options);
    const key = path.join(".");
    return reason === undefined
      ? []
      : [{ ...withEnvironment.locate(path), path: key, message: `Cannot use ${key}: '${file}' ${reason}` }];
  });
  if (missing.length > 0) throw new ConfigError(missing);
  return { ...valid, source };
}

function fileProblem(
  file: string,
  check: NamedFile["check"],
  { readTextFile }: LoadConfigOptions,
): string | undefined {
  let text;
  try {
    text = readTextFile(file);
  } catch (error) {
    return `can't be read: ${errorText(error)}`;
  }
  if (text === undefined) return "does not exist";
  try {
    check?.(text);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

function readSource(options: LoadConfigOptions): { raw: RawConfig; source: string } {
  const { environment } = options;
  const path = options.path ?? (environment[CONFIG_VARIABLE] || environment["SRS_CONFIG_FILE"] || undefined);
  const source = path ?? DEFAULT_CONFIG_PATH;
  let text;
  try {
    text = options.readTextFile(source);
  } catch (error) {
    throw unreadable(source, errorText(error), error);
  }
  if (text === undefined) {
    if (path !== undefined) throw unreadable(source, "no such file");
    const builtIn = "built-in defaults";
    return {
      raw: { values: {}, warnings: [], issues: [], locate: () => ({ file: builtIn }) },
      source: builtIn,
    };
  }
  // What a file in UTF-16 begins with when it is read as UTF-8; and no text has a NUL.
  if (text.startsWith("\ufffd\ufffd") || text.includes("\0")) {
    throw unreadable(source, "not valid UTF-8 text");
  }
  const raw = isSrsFile(source) ? readSrsConfig(text, source, options) : readTomlConfig(text, source);
  return { raw, source };
}

function isSrsFile(path: string): boolean {
  return path.endsWith(".conf");
}

/** Without any vhost there is one that takes every name; with some, only those, as in SRS. */
function withVhost(raw: RawConfig, isSrs: boolean): RawConfig {
  const { vhost } = raw.values;
  if (vhost !== undefined && !(isTable(vhost) && Object.keys(vhost).length === 0)) return raw;
  const values: RawTable = { ...raw.values, vhost: { [DEFAULT_VHOST]: isSrs ? srsVhostDefaults() : {} } };
  return { ...raw, values };
}

function unreadable(file: string, reason: string, cause?: unknown): ConfigError {
  const message = `Cannot read the configuration: ${reason}`;
  return new ConfigError([{ file, path: "", message }], { cause });
}
