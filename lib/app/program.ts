import { existsSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import { errorText } from "../base/errors.ts";
import { ListenError } from "../base/listen_error.ts";
import type { CommandLine } from "./command_line.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { DEFAULT_CONFIG_PATH, loadConfig, type LoadedConfig } from "../config/config_load.ts";
import { checkHealth } from "./health.ts";
import { closeLogging, configureLogging, reopenLog, writeToStdout } from "./logging.ts";
import type { Node } from "./node.ts";
import { portAdvice } from "./port_advice.ts";
import { Ports } from "./ports.ts";
import { readKeyPairs } from "./tls_sections.ts";
import type { ProcessSignals } from "./process_signals.ts";
import { UnexpectedErrors } from "./unexpected_errors.ts";
import { welcome } from "./welcome.ts";
import { makeFolderOf, writeProblem } from "./written_file.ts";

const log = getLogger(["headwater", "app"]);

/**
 * The program: arguments in, exit code out.
 *
 * @param args Without the name of the program.
 * @param signals Those that come while the program is loaded are in there.
 */
export async function runProgram(args: readonly string[], signals: ProcessSignals): Promise<number> {
  // Deno 2.4 warns of a constructor that its own createHmac calls; an operator can do nothing about any of these.
  (process as { noDeprecation?: boolean }).noDeprecation = true;
  // Without arguments there is nothing to parse, and no need to load the parser before the ports are open.
  const commandLine: CommandLine = args.length === 0
    ? { kind: "serve" }
    : (await import("./command_line.ts")).parseCommandLine(args);
  if (commandLine.kind !== "serve" && signals.release()) return 1;
  if (commandLine.kind === "exit") {
    print(commandLine.code === 0 ? Deno.stdout : Deno.stderr, commandLine.output);
    return commandLine.code;
  }
  if (commandLine.kind === "show") {
    print(Deno.stdout, (await import("./carried_files.ts")).carriedText(commandLine.path));
    return 0;
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
    try {
      await readKeyPairs(loaded.config);
    } catch (error) {
      print(Deno.stderr, `${errorText(error)}\n`);
      return 1;
    }
    print(Deno.stdout, `${loaded.source}: configuration OK\n`);
    return 0;
  }
  if (commandLine.kind === "token") {
    const { printToken } = await import("./token_command.ts");
    return await printToken(loaded.config, commandLine.request, {
      readTextFile: Deno.readTextFile,
      nowS: Date.now() / 1000,
      say: (text) => print(Deno.stdout, text),
      complain: (text) => print(Deno.stderr, text),
    });
  }
  if (commandLine.kind === "health") {
    const problem = await checkHealth(loaded.config);
    if (problem !== undefined) print(Deno.stderr, `${problem}\n`);
    return problem === undefined ? 0 : 1;
  }
  if (commandLine.kind === "drain") {
    const { drainServer } = await import("./drain_command.ts");
    return await drainServer(
      loaded.config,
      (text) => print(Deno.stdout, text),
      (text) => print(Deno.stderr, text),
    );
  }
  try {
    return await serve(loaded, load, signals);
  } finally {
    await closeLogging();
  }
}

/** How long a stop may take beyond `grace_final_wait_ms`, in milliseconds. */
const STOP_RESERVE_MS = 1000;

async function serve(
  loaded: LoadedConfig,
  load: () => LoadedConfig,
  signals: ProcessSignals,
): Promise<number> {
  const { config, source } = loaded;
  try {
    configureLogging({ level: config.log_level, format: config.log_format, file: config.log_file });
  } catch (error) {
    print(Deno.stderr, `Cannot open log_file ${writeProblem(config.log_file, error)}\n`);
    return 1;
  }
  for (const warning of loaded.warnings) log.warn("Configuration", { warning });
  const unexpectedErrors = new UnexpectedErrors();
  unexpectedErrors.listen();
  let ports: Ports;
  try {
    ports = new Ports(config, await readKeyPairs(config));
  } catch (error) {
    const reason = error instanceof ListenError ? portAdvice(error, config) : errorText(error);
    print(Deno.stderr, `${reason}\n`);
    return 1;
  }
  // Only now, so that encoders and players that come back after a restart are not refused while the program loads.
  const { Node } = await import("./node.ts");
  const node: Node = new Node(config, () => reload(node, load), () => unexpectedErrors.count);
  await node.start(ports);
  try {
    if (config.pid !== "") writePid(config.pid);
  } catch (error) {
    print(Deno.stderr, `Cannot write pid ${writeProblem(config.pid, error)}\n`);
    await node.stop();
    return 1;
  }
  if (isForPeople(config)) writeToStdout(welcome(config, source, ports.addresses));
  const first = await new Promise<StopSignal>((stop) => {
    signals.handle((signal, request) => {
      if (request === "reload") {
        inBackground(reload(node, load).catch(() => {/* Said in the log. */}), "reload");
      } else if (request === "reopenLog") reopen();
      else if (request === "nothing") log.info("Signal ignored", { signal });
      else {
        const isDrain = request === "drain" || (request === "terminate" && node.config.force_grace_quit);
        stop({ signal, isDrain });
      }
    });
  });
  await stop(node, first, signals);
  removePid(node.config.pid);
  log.info("Stopped");
  return 0;
}

interface StopSignal {
  readonly signal: string;
  /** Clients are given time to leave. */
  readonly isDrain: boolean;
}

/** Ends a server; another signal that asks for that has it no longer wait. */
async function stop(node: Node, first: StopSignal, signals: ProcessSignals): Promise<void> {
  let { signal } = first;
  if (first.isDrain) {
    log.info("Draining before the server stops: SIGTERM or SIGINT stops it now", { signal });
    const hurry = nextStopSignal(signals);
    signal = await Promise.race([node.beginDrain().then(() => first.signal), hurry]);
  }
  log.info("Stopping", { signal });
  const hurry = nextStopSignal(signals);
  const stopped = withinTime(node.stop(), node.config.grace_final_wait_ms + STOP_RESERVE_MS);
  const hurried = await Promise.race([stopped, hurry]);
  if (hurried !== undefined) {
    log.warn("Stopping without waiting for connections to close", { signal: hurried });
  }
}

/** Resolves with the next signal that asks to stop. What would change a server that ends comes too late, and is not heard. */
function nextStopSignal(signals: ProcessSignals): Promise<string> {
  return new Promise((resolve) => {
    signals.handle((signal, request) => {
      if (request === "stop" || request === "terminate") resolve(signal);
    });
  });
}

function reopen(): void {
  try {
    reopenLog();
    log.info("Log reopened");
  } catch (error) {
    log.error("Cannot reopen log_file: the old file stays in use", { reason: errorText(error) });
  }
}

/** Waits for work, and no longer than so: an end that hangs must not keep the process. */
async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn("Shutdown timed out: closing what is left", { timeoutMs });
      resolve();
    }, timeoutMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** A configuration that is wrong never replaces one that runs; rejects with the reason. */
async function reload(node: Node, load: () => LoadedConfig): Promise<void> {
  try {
    const { config, warnings, source } = await Promise.resolve(load());
    for (const warning of warnings) log.warn("Configuration", { warning });
    if (config.pid !== node.config.pid && config.pid !== "") writePid(config.pid);
    configureLogging({ level: config.log_level, format: config.log_format, file: config.log_file });
    if (config.pid !== node.config.pid) removePid(node.config.pid);
    const needRestart = node.reload(config);
    node.reloads.count(true);
    if (needRestart.length > 0) {
      log.warn("Configuration: these keys change only on restart; the old values stay in use", {
        keys: needRestart,
      });
    }
    log.info("Configuration reloaded", { source });
  } catch (error) {
    node.reloads.count(false);
    log.error("Cannot reload the configuration: the old one stays in use", { reason: errorText(error) });
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
    let bytes = new TextEncoder().encode(text);
    while (bytes.byteLength > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch {
    // Nobody listens: no reason not to go on.
  }
}
