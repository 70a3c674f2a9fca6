import type { ConfigIssue, ConfigPosition } from "./config_error.ts";
import { shortText } from "../base/printable.ts";

/** A table of settings as they were written, not checked yet. */
export interface RawTable {
  [name: string]: unknown;
}

/** Keys and list indexes from the root to one setting. */
export type RawPath = readonly (string | number)[];

/** A configuration as it was written, with a way back to where. */
export interface RawConfig {
  readonly values: RawTable;
  /** What to tell the operator though it is not wrong. */
  readonly warnings: readonly string[];
  /** What is wrong already: the check goes on, so that all mistakes are told at once. */
  readonly issues: readonly ConfigIssue[];
  /** Where a setting stands, or else the nearest table around it. */
  locate(path: RawPath): ConfigPosition;
}

/** More steps than any key has: what is deeper is told at the place of its table. */
export const MAX_STEPS = 8;

/** Positions by path, kept while a file is read. */
export class PositionMap {
  readonly #positions = new Map<string, ConfigPosition>();

  /** Remembers a position; the first for a path stays. */
  add(path: RawPath, position: ConfigPosition): void {
    if (path.length > MAX_STEPS) return;
    const id = JSON.stringify(path);
    if (!this.#positions.has(id)) this.#positions.set(id, position);
  }

  /** The position of a path, else of the nearest table around it, else `undefined`. */
  find(path: RawPath): ConfigPosition | undefined {
    for (let length = Math.min(path.length, MAX_STEPS); length > 0; length--) {
      const position = this.#positions.get(JSON.stringify(path.slice(0, length)));
      if (position !== undefined) return position;
    }
    return undefined;
  }
}

/** Whether a value is a table: an object that is neither a list nor a date. */
export function isTable(value: unknown): value is RawTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The value at a path; `undefined` when there is none. */
export function valueAt(values: RawTable, path: RawPath): unknown {
  let value: unknown = values;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isTable(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Sets one value in a table, with the tables on the way to it. */
export function setValue(values: RawTable, path: readonly string[], value: unknown): void {
  let table = values;
  for (const [index, name] of path.entries()) {
    const isLast = index === path.length - 1;
    const inner = Object.hasOwn(table, name) ? table[name] : undefined;
    // A section that is not a table is left for the check to complain about.
    if (!isLast && inner !== undefined && !isTable(inner)) return;
    if (!isLast && isTable(inner)) {
      table = inner;
      continue;
    }
    const next = isLast ? value : {};
    // Plain assignment of a name such as `__proto__` would do something else.
    Object.defineProperty(table, name, { value: next, writable: true, enumerable: true, configurable: true });
    if (isTable(next)) table = next;
  }
}

/** A value for a message as it would stand in the file: short, and never a table's content. */
export function showValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (isTable(value)) return "a table";
  if (value instanceof Date) return "a date";
  if (typeof value === "number") return String(value).replace("Infinity", "inf").replace("NaN", "nan");
  if (Array.isArray(value)) {
    const shown = value.slice(0, 10).map((each) => Array.isArray(each) ? "a list" : showValue(each)).join(
      ", ",
    );
    return shortText(`[${shown}${value.length > 10 ? ", ..." : ""}]`);
  }
  return shortText(JSON.stringify(value));
}
