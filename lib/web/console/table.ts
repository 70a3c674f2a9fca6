/// <reference lib="dom" />
import { element, setText } from "../dom.ts";
import type { Quantity } from "./format.ts";

/** A row or a card, which shows an item and after it others of the same name. */
export interface Row<T> {
  readonly element: HTMLElement;
  show(item: T): void;
}

/** A list of rows in the page, each with the item of its name. */
export class RowList<T> {
  readonly #parent: HTMLElement;
  readonly #nameOf: (item: T) => string;
  readonly #make: (name: string) => Row<T>;
  #rows: ReadonlyMap<string, Row<T>> = new Map();

  constructor(parent: HTMLElement, nameOf: (item: T) => string, make: (name: string) => Row<T>) {
    this.#parent = parent;
    this.#nameOf = nameOf;
    this.#make = make;
  }

  /** Makes the rows those of the items, keeping the ones that stay, so that focus and hover do. Nothing else stays. */
  show(items: readonly T[]): void {
    const kept = new Map<string, Row<T>>();
    let place = this.#parent.firstElementChild;
    for (const item of items) {
      const name = this.#nameOf(item);
      let key = name;
      // Two items may have one name; each has a row all the same.
      for (let n = 2; kept.has(key); n += 1) key = `${name}#${n}`;
      const row = this.#rows.get(key) ?? this.#make(name);
      kept.set(key, row);
      if (row.element === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(row.element, place);
      row.show(item);
    }
    for (const [key, row] of this.#rows) {
      if (!kept.has(key)) row.element.remove();
    }
    this.#rows = kept;
  }
}

/** @param label What the cell is, where the table has no head: on narrow screens. */
export function cell(row: HTMLElement, className: string, label = ""): HTMLElement {
  const made = element("td", className);
  if (label !== "") made.dataset["label"] = label;
  row.append(made);
  return made;
}

export function twoLines(target: HTMLElement): (first: string, second: string) => void {
  const first = element("span");
  const second = element("small");
  target.append(first, second);
  return (one, two) => {
    setText(first, one);
    setText(second, two);
  };
}

export function withUnit(target: HTMLElement, [value, unit]: Quantity): void {
  if (target.dataset["shown"] === value + unit) return;
  target.dataset["shown"] = value + unit;
  target.replaceChildren(value, element("i", "", unit));
}
