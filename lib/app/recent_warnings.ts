import type { LogRecord } from "@logtape/logtape";
import type { RecentLog, RecentLogLine } from "../http/server_view.ts";

const MAX_LINES = 200;
const MAX_PROPERTIES = 16;
const MAX_TEXT = 512;

/** The last warnings and errors of the log, a bounded number of bounded lines. */
export class RecentWarnings {
  readonly #lines: RecentLogLine[] = [];
  #dropped = 0;

  add(record: LogRecord): void {
    const { level } = record;
    if (level !== "warning" && level !== "error" && level !== "fatal") return;
    if (this.#lines.length >= MAX_LINES) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#lines.push({
      atMs: record.timestamp,
      level,
      category: record.category.join("."),
      message: cut(record.message.map((part) => typeof part === "string" ? part : shown(part)).join("")),
      properties: Object.fromEntries(
        Object.entries(record.properties).slice(0, MAX_PROPERTIES).map((
          [name, value],
        ) => [name, plain(value)]),
      ),
    });
  }

  get report(): RecentLog {
    return { lines: [...this.#lines], dropped: this.#dropped };
  }
}

function plain(value: unknown): string | number | boolean | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean" || value === null) return value;
  return cut(shown(value));
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT).toWellFormed();
}
