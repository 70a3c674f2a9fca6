import { parse, TomlError } from "smol-toml";
import type { ConfigIssue } from "./config_error.ts";
import type { RawConfig, RawTable } from "./raw_config.ts";
import { tomlPositions } from "./toml_positions.ts";

/** Each costs one more reading of the file. */
const MAX_SYNTAX_ISSUES = 20;

/**
 * Reads a TOML configuration, without checking its keys. A line that is no TOML, whatever stands before it, is a
 * mistake and is left out, so that the others are found too.
 *
 * @param text The file's text.
 * @param file Its name, for messages.
 */
export function readTomlConfig(text: string, file: string): RawConfig {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const issues: ConfigIssue[] = [];
  let values: RawTable | undefined;
  while (values === undefined) {
    const result = tryParse(lines.join("\n"));
    if ("values" in result) {
      values = result.values;
      break;
    }
    const { line, column, reason } = result;
    const wrong = lines[line - 1] ?? "";
    const isKey = /^[^#=[]+=/.test(wrong);
    // Any other line may be the rest of the one before, which has been left out.
    if (isKey || issues.length === 0) {
      issues.push({ file, line, column, path: "", message: `Cannot read TOML: ${reason}` });
    }
    const isWrongAlone = reason.includes("redefine")
      ? "values" in tryParse(wrong)
      : "reason" in tryParse(wrong);
    if (!isKey || !isWrongAlone || issues.length >= MAX_SYNTAX_ISSUES) values = {};
    else lines[line - 1] = "";
  }
  const positions = tomlPositions(lines.join("\n"), file);
  return { values, warnings: [], issues, locate: (path) => positions.find(path) ?? { file } };
}

type TomlResult =
  | { readonly values: RawTable }
  | { readonly line: number; readonly column: number; readonly reason: string };

function tryParse(source: string): TomlResult {
  try {
    return { values: parse(source) };
  } catch (error) {
    if (error instanceof TomlError) {
      const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
      return { line: error.line, column: error.column, reason };
    }
    throw error;
  }
}
