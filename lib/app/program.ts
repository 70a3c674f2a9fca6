import { getLogger } from "@logtape/logtape";
import { errorText } from "../base/errors.ts";
import { parseCommandLine } from "./command_line.ts";
import { ConfigError } from "./config_error.ts";
import { loadConfig, type LoadedConfig } from "./config_load.ts";
import { closeLogging, configureLogging, flushLogging } from "./logging.ts";
import { Node } from "./node.ts";

const log = getLogger(["headwater", "app"]);

/**
 * The program: arguments in, exit code out.
 *
 * @param args Without the name of the program.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (commandLine.kind === "exit") {
    print(commandLine.code === 0 ? Deno.stdout : Deno.stderr, commandLine.output);
    return commandLine.code;
  }
  const load = () => loadFrom(commandLine.configPath);
  let loaded: LoadedConfig;
  try {
    loaded = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    print(Deno.stderr, `${error.message}\n`);
    return 1;
  }
  if (commandLine.kind === "check") {
    for (const warning of loaded.warnings) print(Deno.stderr, `warning: ${warning}\n`);
    print(Deno.stdout, `${loaded.source}: the configuration is right\n`);
    return 0;
  }
  return await serve(loaded, load);
}

async function serve(loaded: LoadedConfig, load: () => LoadedConfig): Promise<number> {
  const { config } = loaded;
  try {
    configureLogging({ level: config.log_level, format: config.log_format, file: config.log_file });
  } catch (error) {
    print(Deno.stderr, `Cannot open log_file: ${errorText(error)}\n`);
    return 1;
  }
  for (const warning of loaded.warnings) log.warn("Configuration", { warning });
  const node: Node = new Node(config, () => reload(node, load));
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
  try {
    await node.start();
  } catch (error) {
    print(Deno.stderr, `${errorText(error)}\n`);
    return 1;
  }
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGHUP", () => {
      reload(node, load).catch(() => {
        // Said in the log.
      });
    });
  }
  const signal = await stopped;
  log.info("Stopping", { signal });
  await node.stop();
  log.info("Stopped");
  flushLogging();
  closeLogging();
  return 0;
}

/** A configuration that is wrong never replaces one that runs; rejects with the reason. */
async function reload(node: Node, load: () => LoadedConfig): Promise<void> {
  try {
    const { config, warnings, source } = await Promise.resolve(load());
    for (const warning of warnings) log.warn("Configuration", { warning });
    configureLogging({ level: config.log_level, format: config.log_format, file: config.log_file });
    node.reload(config);
    log.info("Configuration reloaded", { source });
  } catch (error) {
    log.error("Cannot reload the configuration: the running one stays", { reason: errorText(error) });
    throw error;
  }
}

function loadFrom(path: string | undefined): LoadedConfig {
  return loadConfig({
    ...(path === undefined ? {} : { path }),
    environment: Deno.env.toObject(),
    readTextFile: (name) => Deno.readTextFileSync(name),
  });
}

function print(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(text));
}
