import { configureSync, disposeSync, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import { formatJson, formatText } from "./log_format.ts";
import type { RecentLog } from "../http/server_view.ts";
import { LogRepeats } from "./log_repeats.ts";
import { type LogSink, LogWriter } from "./log_writer.ts";
import { RecentWarnings } from "./recent_warnings.ts";
import { makeFolderOf } from "./written_file.ts";

const log = getLogger(["headwater", "app"]);

/** How the process logs. */
export interface LoggingOptions {
  /** The least that is logged. */
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  /** text: for people. json: an object a line. */
  readonly format: "text" | "json";
  /** A file that lines are added to; absent or empty: stdout. */
  readonly file?: string;
  /** Where finished lines go instead, each with its line's end. Tests listen here. */
  readonly write?: (line: string) => void;
  /**
   * Sum up what one peer repeats, instead of a line for each.
   *
   * @default {true}
   */
  readonly sumsUpRepeats?: boolean;
  /** Milliseconds, for what counts repeats. */
  readonly now?: () => number;
}

interface LogTarget {
  readonly name: string;
  write(line: string): void;
  readonly lostTotal: number;
  /** Writes what is left, within a time. */
  close(timeoutMs: number): Promise<void>;
}

/** How long the end of the process waits for a log that takes nothing, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;
const SWEEP_INTERVAL_MS = 1000;

const warnings = new RecentWarnings();
let target: LogTarget | undefined;
let reopen: (() => LogTarget) | undefined;
let repeats: LogRepeats | undefined;
let sweepTimer: ReturnType<typeof setInterval> | undefined;
/** Of targets that are closed. */
let lostBefore = 0;

/**
 * Sets where and how every logger of the process writes. Called again, as a reload does, it replaces what was.
 *
 * @throws When the file cannot be opened; logging is then as it was.
 */
export function configureLogging(options: LoggingOptions): void {
  const open = (): LogTarget => openTarget(options);
  replaceTarget(open());
  reopen = open;
  const format = options.format === "json" ? formatJson : formatText;
  const level: LogLevel = options.level === "warn" ? "warning" : options.level;
  // Through the variable, so that a reopened file is used at once.
  const write = (record: LogRecord): void => {
    warnings.add(record);
    target?.write(`${format(record)}\n`);
  };
  repeats?.sweep(true);
  const counted = new LogRepeats({
    now: options.now ?? (() => performance.now()),
    sumUp: (record, count, seconds) => {
      // What stood in its placeholders is another in each.
      const phrase = typeof record.rawMessage === "string" ? record.rawMessage : record.rawMessage.join("");
      const message = `${count} more like this in the last ${seconds} s: ${phrase}`;
      write({ ...record, message: [message], timestamp: Date.now() });
    },
  });
  repeats = counted;
  const lines = (record: LogRecord): void => {
    if (options.sumsUpRepeats === false || counted.admit(record)) write(record);
  };
  configureSync({
    reset: true,
    sinks: { lines },
    loggers: [
      { category: [], lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape"], lowestLevel: "warning", sinks: ["lines"], parentSinks: "override" },
    ],
  });
  if (options.write === undefined && sweepTimer === undefined) {
    sweepTimer = setInterval(sweepRepeats, SWEEP_INTERVAL_MS);
    Deno.unrefTimer(sweepTimer);
  }
}

/** Writes a line for each kind of events that were left out since they began to repeat, where their time is over. */
export function sweepRepeats(): void {
  repeats?.sweep();
}

/**
 * Opens the log file again, for tools that move it away.
 *
 * @throws When it cannot be opened; logging is then as it was.
 */
export function reopenLog(): void {
  if (reopen !== undefined) replaceTarget(reopen());
}

/** Puts text that is no event between the lines of a log that goes to stdout, else to stdout. Does not wait. */
export function writeToStdout(text: string): void {
  if (target?.name === STDOUT) target.write(text);
  else openStdout().write(text);
}

/** The last warnings and errors that were logged, whatever became of their lines; what repeats is summed up there too. */
export function recentLog(): RecentLog {
  return warnings.report;
}

/** Lines of the log that were lost since the start, as nothing took them. */
export function lostLogLines(): number {
  return lostBefore + (target?.lostTotal ?? 0);
}

/** Writes what is left, within a second, closes the file, and those that were reopened, and makes every logger silent. */
export async function closeLogging(): Promise<void> {
  clearInterval(sweepTimer);
  sweepTimer = undefined;
  repeats?.sweep(true);
  repeats = undefined;
  disposeSync();
  configureSync({
    reset: true,
    sinks: {},
    loggers: [{ category: ["logtape"], lowestLevel: null, sinks: [] }],
  });
  const last = target;
  target = undefined;
  reopen = undefined;
  await Promise.all([...closings, last?.close(CLOSE_TIMEOUT_MS)]);
}

const STDOUT = "stdout";
/** Of targets that others have taken the place of. */
const closings = new Set<Promise<void>>();

function replaceTarget(next: LogTarget): void {
  const last = target;
  if (last === next) return;
  target = next;
  if (last === undefined) return;
  lostBefore += last.lostTotal;
  const closing = last.close(CLOSE_TIMEOUT_MS).finally(() => closings.delete(closing));
  closings.add(closing);
  inBackground(closing, "closing the log");
}

function openTarget({ file = "", write }: LoggingOptions): LogTarget {
  if (write !== undefined) return { name: "", write, lostTotal: 0, close: () => Promise.resolve() };
  if (file === "" || file === "/dev/stdout") return openStdout();
  if (file === "/dev/stderr") {
    return targetOf("stderr", { write: (bytes) => Deno.stderr.write(bytes), close() {} });
  }
  makeFolderOf(file);
  const handle = openFile(file);
  return targetOf(file, {
    write: (bytes) => handle.write(bytes),
    sync: () => handle.syncData(),
    close: () => handle.close(),
  });
}

/** The one that there is, where there is one: two would mix their lines. */
function openStdout(): LogTarget {
  if (target?.name === STDOUT) return target;
  return targetOf(STDOUT, { write: (bytes) => Deno.stdout.write(bytes), close() {} });
}

function targetOf(name: string, sink: LogSink): LogTarget {
  const writer = new LogWriter({
    sink,
    onLost: (lines, reason) => log.warn("Log lines were lost", { lines, reason }),
  });
  return {
    name,
    write: (line) => writer.write(line),
    get lostTotal() {
      return writer.lostTotal;
    },
    close: (timeoutMs) => writer.close(timeoutMs),
  };
}

function openFile(file: string): Deno.FsFile {
  // Opening a named pipe to write waits for a reader, and all else with it; opening it for both does not.
  return Deno.openSync(file, { append: true, create: true, read: isNamedPipe(file) });
}

function isNamedPipe(file: string): boolean {
  try {
    return Deno.statSync(file).isFifo === true;
  } catch {
    return false;
  }
}
