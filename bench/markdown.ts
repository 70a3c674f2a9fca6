/** Between these a document has the table. */
export const TABLE_MARKERS = ["<!-- deno task bench --table -->", "<!-- end of the table -->"] as const;

/** Columns of a table. */
export type Columns<T> = readonly (readonly [heading: string, cell: (result: T) => string])[];

/** The two lines that a table begins with: the first column is text, the others are figures. */
export function headLines<T>(columns: Columns<T>): readonly string[] {
  return [
    `| ${columns.map(([heading]) => heading).join(" | ")} |`,
    `|${columns.map((_, index) => index === 0 ? "---|" : "--:|").join("")}`,
  ];
}

/** One line of a table. */
export function rowLine<T>(columns: Columns<T>, result: T): string {
  return `| ${columns.map(([, cell]) => cell(result).replaceAll("|", "/")).join(" | ")} |`;
}

/** A figure, or nothing where there is none. */
export function fixed(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? "" : value.toFixed(digits);
}

/**
 * Puts lines in the place of those between the two markers.
 *
 * @throws {Error} Where the text has not both markers, one after the other.
 */
export function replaceBetween(
  text: string,
  [begin, end]: readonly [string, string],
  lines: readonly string[],
): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`Cannot write the table: no place between ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${lines.join("\n")}\n\n${text.slice(to)}`;
}
