/**
 * Searching, sorting and paging of the cluster's lists.
 *
 * @module
 */

/** What a page of a list asks for. */
export interface ListQuery {
  /** What has to stand somewhere in a row, in small letters; empty: anything. */
  readonly text: string;
  /** By which of the list's orders; empty: its first. */
  readonly sort: string;
  readonly isDescending: boolean;
  readonly start: number;
  readonly count: number;
}

/** Something to sort rows by, for each name of an order. The first is that of a list whose query names none. */
export type Orders<T> = Readonly<Record<string, (row: T) => string | number | null>>;

/** Most rows of a page. */
export const MAX_COUNT = 500;
const DEFAULT_COUNT = 100;
/** How far into a list a page may begin: what comes before it has to be asked of every node. */
export const MAX_START = 9500;
const MAX_TEXT_LENGTH = 200;

/** Why a query makes no sense. */
export class BadQuery extends Error {
  override readonly name = "BadQuery";
}

/**
 * Reads `search`, `sort` (`-` before it: downwards), `start` and `count`.
 *
 * @throws {BadQuery} When one of them makes no sense.
 */
export function readListQuery(
  query: Readonly<Record<string, string>>,
  orders: readonly string[],
  maxCount: number = MAX_COUNT,
): ListQuery {
  const { search: text = "", sort: named = "" } = query;
  if (text.length > MAX_TEXT_LENGTH) {
    throw new BadQuery(
      `Cannot search: search is ${text.length} characters long, limit is ${MAX_TEXT_LENGTH}`,
    );
  }
  const isDescending = named.startsWith("-");
  const sort = isDescending ? named.slice(1) : named;
  if (sort !== "" && !orders.includes(sort)) {
    throw new BadQuery(
      `Cannot sort by '${sort.slice(0, 40)}': use one of ${
        orders.join(", ")
      }, with a '-' before it for the reverse order`,
    );
  }
  return {
    text: text.toLowerCase(),
    sort,
    isDescending,
    start: integer("start", query.start, 0, 0, MAX_START),
    count: integer("count", query.count, DEFAULT_COUNT, 1, maxCount),
  };
}

function integer(
  name: string,
  value: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined || value === "") return fallback;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= min && number <= max) return number;
  throw new BadQuery(`Cannot list: ${name} must be a whole number from ${min} to ${max}`);
}

/** The rows that a query asks for, of all pages. Rows that are equal in its order keep a stable one, by `identity`. */
export function select<T>(
  rows: readonly T[],
  query: ListQuery,
  orders: Orders<T>,
  words: (row: T) => readonly string[],
  identity: (row: T) => string,
): T[] {
  const found = query.text === ""
    ? [...rows]
    : rows.filter((row) => words(row).some((word) => word.toLowerCase().includes(query.text)));
  const order = orders[query.sort] ?? Object.values(orders)[0] ?? identity;
  const sign = query.isDescending ? -1 : 1;
  const keyed = found.map((row) => ({ row, value: order(row), id: identity(row) }));
  keyed.sort((a, b) => sign * compare(a.value, b.value) || compare(a.id, b.id));
  return keyed.map(({ row }) => row);
}

/** What is not known comes before all else. */
function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
