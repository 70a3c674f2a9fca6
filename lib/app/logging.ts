import { configureSync, disposeSync, type LogLevel, type LogRecord } from "@logtape/logtape";
import { formatJson, formatText } from "./log_format.ts";
import { makeFolderOf } from "./written_file.ts";

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
}

interface LogTarget {
  write(line: string): void;
  flush(): void;
  close(): void;
}

let target: LogTarget | undefined;
let reopen: (() => LogTarget) | undefined;

/**
 * Sets where and how every logger of the process writes. Called again, as a reload does, it replaces what was.
 *
 * @throws When the file cannot be opened; logging is then as it was.
 */
export function configureLogging(options: LoggingOptions): void {
  const open = (): LogTarget => openTarget(options);
  const opened = open();
  const format = options.format === "json" ? formatJson : formatText;
  const level: LogLevel = options.level === "warn" ? "warning" : options.level;
  // Through the variable, so that a reopened file is used at once.
  const lines = (record: LogRecord): void => target?.write(`${format(record)}\n`);
  configureSync({
    reset: true,
    sinks: { lines },
    loggers: [
      { category: [], lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape"], lowestLevel: "warning", sinks: ["lines"], parentSinks: "override" },
    ],
  });
  target?.close();
  target = opened;
  reopen = open;
}

/** Opens the log file again, for tools that move it away. */
export function reopenLog(): void {
  if (target === undefined || reopen === undefined) return;
  const opened = reopen();
  target.close();
  target = opened;
}

/** Returns when everything that was logged is on disk, as far as it goes to a file. */
export function flushLogging(): void {
  target?.flush();
}

/** Flushes, closes the file and makes every logger silent. */
export function closeLogging(): void {
  flushLogging();
  disposeSync();
  configureSync({
    reset: true,
    sinks: {},
    loggers: [{ category: ["logtape"], lowestLevel: null, sinks: [] }],
  });
  target?.close();
  target = undefined;
  reopen = undefined;
}

function openTarget({ file, write }: LoggingOptions): LogTarget {
  if (write !== undefined) return { write, flush() {}, close() {} };
  if (file === undefined || file === "") {
    return { write: (line) => writeAll(Deno.stdout, line), flush() {}, close() {} };
  }
  makeFolderOf(file);
  const handle = Deno.openSync(file, { append: true, create: true });
  return {
    write: (line) => writeAll(handle, line),
    flush: () => handle.syncDataSync(),
    close: () => handle.close(),
  };
}

const encoder = new TextEncoder();

/** A log that cannot be written, to a closed pipe or a full disk, must not end the server. */
function writeAll(sink: { writeSync(bytes: Uint8Array): number }, line: string): void {
  try {
    let bytes = encoder.encode(line);
    while (bytes.byteLength > 0) bytes = bytes.subarray(sink.writeSync(bytes));
  } catch {
    // There is no place left to say so.
  }
}
