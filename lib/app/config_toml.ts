import { parse, TomlError } from "smol-toml";
import { ConfigError } from "./config_error.ts";
import type { RawConfig } from "./raw_config.ts";
import { tomlPositions } from "./toml_positions.ts";

/**
 * Reads a TOML configuration, without checking its keys.
 *
 * @param text The file's text.
 * @param file Its name, for messages.
 * @throws {ConfigError} When it is not TOML.
 */
export function readTomlConfig(text: string, file: string): RawConfig {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  let values;
  try {
    values = parse(source);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    const { line, column } = error;
    throw new ConfigError([{ file, line, column, path: "", message: `Cannot read TOML: ${reason}` }], {
      cause: error,
    });
  }
  const positions = tomlPositions(source, file);
  return { values, warnings: [], locate: (path) => positions.find(path) ?? { file } };
}
