import type { LogLevel, LogRecord } from "@logtape/logtape";
import { escapeUnprintable, isPrintable } from "../base/printable.ts";

const HIDDEN = "[hidden]";
/** Names of properties whose values nobody may read in a log. */
const SECRET_NAME = /password|secret|token|authorization|signature|cookie/i;
/** The query of a URL or of a stream name: it carries tokens. */
const QUERY = /\?[^\s"'?=]+=[^\s"']*/g;
/** User and password of a URL. */
const CREDENTIALS = /\/\/[^\s/@"']+@/g;
/** A signed token (JWT), wherever it stands: an address that lacks its question mark makes one a part of a name. */
const TOKEN = /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const RESERVED = new Set(["time", "level", "category", "message"]);

/** One event as one line for people: `time level category message key=value …` */
export function formatText(record: LogRecord): string {
  let line = `${new Date(record.timestamp).toISOString()} ${levelName(record.level).padEnd(5)} ` +
    `${record.category.join(".") || "-"} ${messageOf(record)}`;
  for (const [name, value] of Object.entries(record.properties)) {
    if (value !== undefined) line += ` ${name}=${quote(plain(name, value, record.level))}`;
  }
  return line;
}

/** One event as a JSON object with `time`, `level`, `category`, `message` and the properties. */
export function formatJson(record: LogRecord): string {
  const fields: Record<string, unknown> = {
    time: new Date(record.timestamp).toISOString(),
    level: levelName(record.level),
    category: record.category.join("."),
    message: messageOf(record),
  };
  for (const [name, value] of Object.entries(record.properties)) {
    fields[RESERVED.has(name) ? `${name}_` : name] = plain(name, value, record.level);
  }
  return escapeUnprintable(JSON.stringify(fields));
}

/** A text without what must stay secret: queries of URLs, users and passwords in them, and tokens. */
export function redact(text: string): string {
  return text.replace(QUERY, `?${HIDDEN}`).replace(CREDENTIALS, `//${HIDDEN}@`).replace(TOKEN, HIDDEN);
}

function levelName(level: LogLevel): string {
  return level === "warning" ? "warn" : level;
}

/** The message, on one line, with what stood in its placeholders. */
function messageOf({ message, level }: LogRecord): string {
  const text = message.map((part, index) =>
    index % 2 === 0 ? String(part) : String(textOf(plain("", part, level)))
  ).join("");
  return isPrintable(text) ? text : escapeUnprintable(JSON.stringify(text).slice(1, -1));
}

/** A value made of what JSON can hold, without secrets. */
function plain(name: string, value: unknown, level: LogLevel): unknown {
  if (SECRET_NAME.test(name) && value !== "" && value !== undefined) return HIDDEN;
  switch (typeof value) {
    case "string":
      return redact(value);
    case "bigint":
      return String(value);
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return value;
  if (value instanceof Error) return errorText(value, level);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  try {
    return JSON.parse(
      JSON.stringify(value, (key, inner) => inner === value ? inner : plain(key, inner, level)),
    );
  } catch {
    return String(value);
  }
}

/** An error is our bug at level error, and wants its stack; else its message says it all. */
function errorText(error: Error, level: LogLevel): string {
  const isBug = level === "error" || level === "fatal";
  const cause = error.cause instanceof Error ? `, caused by ${errorText(error.cause, level)}` : "";
  return redact(isBug && error.stack !== undefined ? error.stack : error.message) + cause;
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function quote(value: unknown): string {
  const text = textOf(value);
  if (typeof value === "object") return escapeUnprintable(text);
  const isPlain = text !== "" && isPrintable(text) && !/[\s"=]/.test(text);
  return isPlain ? text : escapeUnprintable(JSON.stringify(text));
}
