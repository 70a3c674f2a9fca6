import type { ConfigPosition } from "./config_error.ts";

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
  /** Where a setting stands, or else the nearest table around it. */
  locate(path: RawPath): ConfigPosition;
}

/** Positions by path, kept while a file is read. */
export class PositionMap {
  readonly #positions = new Map<string, ConfigPosition>();

  /** Remembers a position; the first for a path stays. */
  add(path: RawPath, position: ConfigPosition): void {
    const id = JSON.stringify(path);
    if (!this.#positions.has(id)) this.#positions.set(id, position);
  }

  /** The position of a path, else of the nearest table around it, else `undefined`. */
  find(path: RawPath): ConfigPosition | undefined {
    for (let length = path.length; length > 0; length--) {
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

/** A copy of a table with one value set, tables made on the way; the original stays as it was. */
export function withValue(values: RawTable, path: readonly string[], value: unknown): RawTable {
  const [name, ...rest] = path;
  if (name === undefined) return values;
  const inner = Object.hasOwn(values, name) ? values[name] : undefined;
  // A section that is not a table is left for the check to complain about.
  if (rest.length > 0 && inner !== undefined && !isTable(inner)) return values;
  const next = rest.length === 0 ? value : withValue(isTable(inner) ? inner : {}, rest, value);
  return { ...values, [name]: next };
}
