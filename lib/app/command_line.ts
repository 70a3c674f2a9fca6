import { Command, CommanderError } from "commander";
import { versionText } from "./version_text.ts";

/** What the command line asks for. */
export type CommandLine =
  | { readonly kind: "serve" | "check" | "health"; readonly configPath?: string }
  /** Print `output`, to stdout when `code` is 0 and else to stderr, and exit with `code`. */
  | { readonly kind: "exit"; readonly code: number; readonly output: string };

/**
 * Reads the arguments of the program. Never throws and never exits: help, the version and mistakes come back as
 * `exit`.
 *
 * @param args Without the name of the program.
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  let output = "";
  let kind: "serve" | "check" | "health" = "serve";
  const program = new Command("headwater")
    .description("An RTMP origin cluster.")
    .version(versionText(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option(
      "-c, --config <file>",
      "TOML, or SRS's format if it ends in .conf (default: conf/headwater.toml, " +
        "if it exists)",
    )
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output += text,
      writeErr: (text) => output += text,
      // Else commander asks the environment and the terminal, which takes permissions.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    });
  program.command("serve", { isDefault: true })
    .description("run a server")
    .action(() => {
      kind = "serve";
    });
  program.command("check")
    .description("validate a configuration: exit 0, or 1 with file:line and the reason")
    .action(() => {
      kind = "check";
    });
  program.command("health")
    .description("ask the server that runs with this configuration: exit 0 when it is alive, else 1")
    .action(() => {
      kind = "health";
    });
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode, output };
  }
  const { config } = program.opts<{ config?: string }>();
  return config === undefined ? { kind } : { kind, configPath: config };
}
