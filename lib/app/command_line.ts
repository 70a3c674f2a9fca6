import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { AccessAction } from "../access/access_request.ts";
import { CARRIED_NAMES, findCarriedName } from "./carried_names.ts";
import { nearestName } from "../config/nearest_name.ts";
import { shortText } from "../base/printable.ts";
import type { TokenRequest } from "./token_command.ts";
import { versionText } from "./version_text.ts";

/** The commands that take a configuration. */
type Verb = "serve" | "check" | "health" | "drain";

/** What the command line asks for. */
export type CommandLine =
  | { readonly kind: Verb; readonly configPath?: string }
  /** Print a signed token. */
  | { readonly kind: "token"; readonly configPath?: string; readonly request: TokenRequest }
  /** Print a file that the program carries, by its path in the repository. */
  | { readonly kind: "show"; readonly path: string }
  /** Print `output`, to stdout when `code` is 0 and else to stderr, and exit with `code`. */
  | { readonly kind: "exit"; readonly code: number; readonly output: string };

const ABOUT: Readonly<Record<Verb, string>> = {
  serve: "run a server",
  check: "check a configuration: exit 0, or 1 with every error as file:line and the reason",
  drain: "drain the server that runs with this configuration, and wait until no client is left",
  health: "check the server that runs with this configuration: exit 0 if healthy, else 1",
};

/**
 * Reads the arguments of the program. Never throws and never exits: help, the version and mistakes come back as
 * `exit`.
 *
 * @param args Without the name of the program.
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  let output = "";
  let kind = "serve" as Verb | "version" | "show" | "token";
  let tokenRequest: TokenRequest | undefined;
  let files: string[] = [];
  const program = new Command("headwater")
    .description("An RTMP origin cluster. `headwater FILE` is `headwater serve -c FILE`.")
    .version(versionText(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option(
      "-c, --config <file>",
      "TOML, or SRS's format if it ends in .conf (default: the file that " +
        "HEADWATER_CONFIG names, else conf/headwater.toml, if it exists)",
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
  for (const verb of ["serve", "check", "health", "drain"] as const) {
    program.command(verb, { isDefault: verb === "serve" })
      .description(ABOUT[verb])
      .argument("[file...]", "same as -c")
      .action((given: string[]) => {
        kind = verb;
        files = [...given];
      });
  }
  addTokenCommand(program, (request, given) => {
    kind = "token";
    tokenRequest = request;
    files = [...given];
  });
  program.command("show")
    .description(
      "print a built-in file: the reference configuration, the samples, the systemd unit",
    )
    .argument("[file]", "omit it to list all names")
    .action((file: string | undefined) => {
      kind = "show";
      files = file === undefined ? [] : [file];
    });
  program.command("version").description("print the version").action(() => {
    kind = "version";
  });
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode, output };
  }
  if (kind === "version") return { kind: "exit", code: 0, output: `${versionText()}\n` };
  if (kind === "show") return show(files[0]);
  const { config } = program.opts<{ config?: string }>();
  const [first] = files;
  if (first !== undefined && !args.includes(kind) && !isFileName(first)) {
    return unknownCommand(first, program);
  }
  if (config !== undefined) files.push(config);
  if (files.length > 1) {
    return {
      kind: "exit",
      code: 1,
      output: `error: only one file is allowed: ${files.map(shortText).join(" or ")}\n`,
    };
  }
  const path = files[0] === undefined ? {} : { configPath: files[0] };
  return kind === "token" && tokenRequest !== undefined
    ? { kind, request: tokenRequest, ...path }
    : { kind: kind as Verb, ...path };
}

const ACTIONS: Readonly<Record<string, readonly AccessAction[]>> = {
  publish: ["publish"],
  play: ["play"],
  both: ["publish", "play"],
};
const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The options of `token`, as commander gives them. */
interface TokenOptions {
  readonly action: string;
  readonly stream: string[];
  readonly expires: number;
  readonly ip?: string[];
  readonly vhost?: string;
  readonly key?: string;
  readonly kid?: string;
}

function addTokenCommand(program: Command, take: (request: TokenRequest, files: string[]) => void): void {
  program.command("token")
    .description("print a signed token for a publisher or player of the server with this configuration")
    .argument("[file...]", "same as -c")
    .addOption(
      new Option("--action <action>", "what it is for").choices(Object.keys(ACTIONS)).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--stream <name>",
        "app/stream or vhost/app/stream; a * at its end stands for any text; may be given again",
      ).argParser(gather).makeOptionMandatory(),
    )
    .addOption(
      new Option("--expires <time>", "how long it lasts, as in 90s, 30m, 12h, 7d").argParser(seconds)
        .default(12 * 3600, "12h"),
    )
    .option("--ip <address>", "where its bearer must be, an address or a block; may be given again", gather)
    .option(
      "--vhost <name>",
      "whose tokens section counts (default: the default vhost, else the only one that has tokens)",
    )
    .option("--key <file>", "private key in PEM, where the configuration has public_key or jwks")
    .option("--kid <id>", "the key's id in the JWKS")
    .action((files: string[], { action, stream, expires, ip, vhost, key, kid }: TokenOptions) =>
      take({
        actions: ACTIONS[action] ?? [],
        streams: stream,
        expiresS: expires,
        addresses: ip ?? [],
        ...(vhost === undefined ? {} : { vhost }),
        ...(key === undefined ? {} : { keyPath: key }),
        ...(kid === undefined ? {} : { keyId: kid }),
      }, files)
    );
}

function gather(text: string, earlier: string[] | undefined): string[] {
  return [...earlier ?? [], text];
}

function seconds(text: string): number {
  const [, count = "0", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const result = Number(count) * (UNIT_S[unit] ?? 0);
  if (result === 0) throw new InvalidArgumentError("It must be a time such as 90s, 30m, 12h or 7d.");
  return result;
}

function show(name: string | undefined): CommandLine {
  if (name === undefined) {
    return {
      kind: "exit",
      code: 0,
      output: CARRIED_NAMES.map((each) => `${each}\n`).join(""),
    };
  }
  const path = findCarriedName(name);
  if (path !== undefined) return { kind: "show", path };
  const output = `error: no built-in file '${shortText(name)}', only these:\n${
    CARRIED_NAMES.map((each) => `  ${each}\n`).join("")
  }`;
  return { kind: "exit", code: 1, output };
}

/** A word alone is taken for a command: it may be one with a slip of the finger. */
function isFileName(text: string): boolean {
  return /[./\\]/.test(text);
}

function unknownCommand(name: string, { commands }: Command): CommandLine {
  const nearest = nearestName(name, [...commands.map((each) => each.name()), "help"]);
  const hint = nearest === undefined
    ? `\nto use a file of that name: headwater -c ${shortText(name)}`
    : `: did you mean '${nearest}'?`;
  return { kind: "exit", code: 1, output: `error: unknown command '${shortText(name)}'${hint}\n` };
}
