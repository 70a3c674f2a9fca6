import { existsSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { errorText } from "../base/errors.ts";
import { ListenError } from "../base/listen_error.ts";
import type { CommandLine } from "./command_line.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { DEFAULT_CONFIG_PATH, loadConfig, type LoadedConfig } from "./config_load.ts";
import { checkHealth } from "./health.ts";
import { closeLogging, configureLogging, flushLogging } from "./logging.ts";
import type { Node } from "./node.ts";
import { portAdvice } from "./port_advice.ts";
import { Ports } from "./ports.ts";
import { welcome } from "./welcome.ts";
import { makeFolderOf, writeProblem } from "./written_file.ts";

const log = getLogger(["headwater", "app"]);

/**
 * The program: arguments in, exit code out.
 *
 * @param args Without the name of the program.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  // Deno 2.4 warns of a constructor that its own createHmac calls; an operator can do nothing about any of these.
  (process as { noDeprecation?: boolean }).noDeprecation = true;
  // Without arguments there is nothing to parse, and no need to load the parser before the ports are open.
  const commandLine: CommandLine = args.length === 0
    ? { kind: "serve" }
    : (await import("./command_line.ts")).parseCommandLine(args);
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
  if (commandLine.kind === "health") {
    const problem = await checkHealth(loaded.config);
    if (problem !== undefined) print(Deno.stderr, `${problem}\n`);
    return problem === undefined ? 0 : 1;
  }
  return await serve(loaded, load);
}

/** What asks a process to end. Windows has no others that can be listened for. */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

async function serve(loaded: LoadedConfig, load: () => LoadedConfig): Promise<number> {
  const { config, source } = loaded;
  try {
    configureLogging({ level: config.log_level, format: config.log_format, file: config.log_file });
  } catch (error) {
    print(Deno.stderr, `Cannot open log_file ${writeProblem(config.log_file, error)}\n`);
    return 1;
  }
  for (const warning of loaded.warnings) log.warn("Configuration", { warning });
  const stopped = new Promise<string>((resolve) => {
    for (const signal of STOP_SIGNALS) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
  const started = Promise.withResolvers<Node>();
  if (Deno.build.os !== "windows") {
    // From here on: without a listener the signal ends the process.
    Deno.addSignalListener("SIGHUP", () => {
      started.promise.then((node) => reload(node, load)).catch(() => {
        // Said in the log.
      });
    });
  }
  let ports: Ports;
  try {
    ports = new Ports(config);
  } catch (error) {
    const reason = error instanceof ListenError ? portAdvice(error, config) : errorText(error);
    print(Deno.stderr, `${reason}\n`);
    return 1;
  }
  // Only now, so that encoders and players that come back after a restart are not refused while the program loads.
  const { Node } = await import("./node.ts");
  const node: Node = new Node(config, () => reload(node, load));
  await node.start(ports);
  started.resolve(node);
  try {
    if (config.pid !== "") writePid(config.pid);
  } catch (error) {
    print(Deno.stderr, `Cannot write pid ${writeProblem(config.pid, error)}\n`);
    await node.stop();
    return 1;
  }
  if (isForPeople(config)) print(Deno.stdout, welcome(config, source, ports.addresses));
  const signal = await stopped;
  log.info("Stopping", { signal });
  await node.stop();
  removePid(config.pid);
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

/** Lines that are no events belong on a terminal, not into what other programs read. */
function isForPeople({ log_format: format, log_level: level }: Config): boolean {
  return format === "text" && level !== "warn" && level !== "error";
}

function writePid(path: string): void {
  makeFolderOf(path);
  Deno.writeTextFileSync(path, `${Deno.pid}\n`);
}

function removePid(path: string): void {
  if (path === "") return;
  try {
    Deno.removeSync(path);
  } catch {
    // Someone else has removed it.
  }
}

function loadFrom(path: string | undefined): LoadedConfig {
  return loadConfig({
    ...(path === undefined ? {} : { path }),
    environment: Deno.env.toObject(),
    readTextFile,
  });
}

function readTextFile(path: string): string | undefined {
  // Most who start it for the first time have no such folder; and the first exception of a process takes Deno 20 ms.
  if (path === DEFAULT_CONFIG_PATH && !existsSync(dirname(path))) return undefined;
  let file;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    return readText(file);
  } finally {
    file.close();
  }
}

/** No configuration is longer; a video, or a device that never ends, is. */
const MAX_CONFIG_BYTES = 1024 * 1024;

function readText(file: Deno.FsFile): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const bytes = new Uint8Array(64 * 1024);
  let text = "";
  let total = 0;
  for (let count = file.readSync(bytes); count !== null; count = file.readSync(bytes)) {
    total += count;
    if (total > MAX_CONFIG_BYTES) throw new RangeError(`it is longer than ${MAX_CONFIG_BYTES} bytes`);
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}

function print(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    to.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody listens: no reason not to go on.
  }
}
