import { encodeUtf8 } from "../../wire/amf_writer.ts";

/** What the variables of `dvr_path` stand for. */
export interface PathValues {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** Milliseconds since 1970: one moment for all variables. */
  readonly wallMs: number;
  /** Dates and times in UTC instead of local time. */
  readonly isUtc: boolean;
}

/** Where a recording goes. */
export interface RecordingPath {
  /** The folder that it can't leave: what stands before the first part of the template that has a variable. */
  readonly root: string;
  readonly path: string;
}

const VARIABLE = /\[(vhost|app|stream|2006|01|02|15|04|05|999|timestamp)\]/g;
const HAS_VARIABLE = /\[(vhost|app|stream|2006|01|02|15|04|05|999|timestamp)\]/;
/** Longest part of a name that comes from outside, and longest name of a file or folder, in bytes; file systems take 255. */
const MAX_VALUE_BYTES = 200;
const MAX_NAME_BYTES = 240;
const RESERVED_ON_WINDOWS = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const EXTENSION = /\.[A-Za-z0-9]{1,8}$/;

/** The template as SRS reads it: one that does not end in `.flv` or `.mp4` is a folder. */
export function fullTemplate(template: string): string {
  return /\.(flv|mp4)$/.test(template)
    ? template
    : `${template.replace(/\/+$/, "")}/[stream].[timestamp].flv`;
}

/**
 * Fills in `dvr_path`, once and from left to right: a stream that is called `[timestamp]` keeps its name. Names come from strangers, so
 * what they put in never is a path of its own: it can't have a separator, be `.` or `..`, hide a file, or be longer than file systems
 * take. What a name can't have stands as `%XX`, and so does `%` itself.
 */
export function recordingPath(template: string, values: PathValues): RecordingPath {
  const parts = fullTemplate(template).split("/");
  const firstVariable = parts.findIndex((part) => HAS_VARIABLE.test(part));
  const fixed = parts.slice(0, firstVariable < 0 ? -1 : firstVariable);
  const filled = parts.slice(fixed.length)
    .flatMap((part) => part.replace(VARIABLE, (_, name: string) => valueOf(name, values)).split("/"))
    .filter((part) => part !== "")
    .map((part) => shortened(part, MAX_NAME_BYTES));
  const root = fixed.length === 0 ? "." : fixed.join("/") || "/";
  return { root, path: [...fixed, ...filled].join("/") };
}

function valueOf(name: string, { vhost, app, stream, wallMs, isUtc }: PathValues): string {
  const date = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, "0");
  switch (name) {
    case "vhost":
      return safeName(vhost);
    case "app":
      return app.split("/").filter((part) => part !== "").map(safeName).join("/");
    case "stream":
      return safeName(stream);
    case "2006":
      return String(isUtc ? date.getUTCFullYear() : date.getFullYear()).padStart(4, "0");
    case "01":
      return two((isUtc ? date.getUTCMonth() : date.getMonth()) + 1);
    case "02":
      return two(isUtc ? date.getUTCDate() : date.getDate());
    case "15":
      return two(isUtc ? date.getUTCHours() : date.getHours());
    case "04":
      return two(isUtc ? date.getUTCMinutes() : date.getMinutes());
    case "05":
      return two(isUtc ? date.getUTCSeconds() : date.getSeconds());
    case "999":
      return String(date.getUTCMilliseconds()).padStart(3, "0");
    default:
      return String(wallMs);
  }
}

/** A name of a file or folder that says what a stranger has sent, and no more. */
function safeName(value: string): string {
  const escaped = value
    // deno-lint-ignore no-control-regex -- they are what must not be in a name
    .replace(/[\u0000-\u001f\u007f"%*/:<>?\\|]/g, escapeCharacter)
    .replace(/^\.|[. ]$/g, escapeCharacter)
    .replace(/^(?=(.))(?:.)/su, (first) => RESERVED_ON_WINDOWS.test(value) ? escapeCharacter(first) : first);
  return shortened(escaped, MAX_VALUE_BYTES);
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Cuts what is too long, and puts a number behind it that tells it from others with the same beginning. */
function shortened(name: string, maxBytes: number): string {
  if (name.length * 3 <= maxBytes || encodeUtf8(name).length <= maxBytes) return name;
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  const end = `~${hash(name)}${extension}`;
  let bytes = end.length;
  let kept = "";
  for (const character of name) {
    bytes += encodeUtf8(character).length;
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept + end;
}

/** FNV-1a, 32 bits. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const byte of encodeUtf8(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value.toString(16).padStart(8, "0");
}
