/**
 * The values of AMF3.
 *
 * @module
 * @see Action Message Format AMF 3, Adobe, January 2013
 */

/** Objects, arrays and whatever else AMF3 can refer to again. A `Uint8Array` is a ByteArray. */
export type Amf3Complex =
  | Amf3Object
  | Amf3Array
  | Amf3Date
  | Amf3Xml
  | Amf3Vector
  | Amf3Dictionary
  | Uint8Array;

/** Anything that AMF3 can say. Numbers are written as integers where 29 bits hold them. */
export type Amf3Value = undefined | null | boolean | number | string | Amf3Complex;

/** The shape that objects of one class share. */
export interface Amf3Traits {
  /** Empty: an anonymous object. */
  readonly className: string;
  /** Properties that every object of the class has, in the order of their values. */
  readonly sealedNames: readonly string[];
  /** Whether more properties may follow the sealed ones. */
  readonly isDynamic: boolean;
}

const ANONYMOUS: Amf3Traits = { className: "", sealedNames: [], isDynamic: true };

/** An object: its sealed properties, then its dynamic ones. */
export class Amf3Object {
  readonly traits: Amf3Traits;
  readonly entries: Map<string, Amf3Value>;

  constructor(entries: Map<string, Amf3Value> = new Map(), traits: Amf3Traits = ANONYMOUS) {
    this.entries = entries;
    this.traits = traits;
  }
}

/** The dense part, by position, and the associative part, by name. */
export class Amf3Array {
  readonly items: Amf3Value[];
  readonly entries: Map<string, Amf3Value>;

  constructor(items: Amf3Value[] = [], entries: Map<string, Amf3Value> = new Map()) {
    this.items = items;
    this.entries = entries;
  }
}

/** A moment, in milliseconds since 1970 UTC. */
export class Amf3Date {
  readonly time: number;

  constructor(time: number) {
    this.time = time;
  }
}

/** The text of XML, not parsed. */
export class Amf3Xml {
  readonly text: string;
  /** Whether it is the older flash.xml.XMLDocument, which has its own marker. */
  readonly isDocument: boolean;

  constructor(text: string, isDocument: boolean = false) {
    this.text = text;
    this.isDocument = isDocument;
  }
}

/** An array of one type. */
export class Amf3Vector {
  readonly type: "int" | "uint" | "double" | "object";
  readonly isFixed: boolean;
  /** Of the elements, for `object`. */
  readonly className: string;
  readonly items: Amf3Value[];

  constructor(
    type: "int" | "uint" | "double" | "object",
    items: Amf3Value[] = [],
    isFixed: boolean = false,
    className: string = "",
  ) {
    this.type = type;
    this.items = items;
    this.isFixed = isFixed;
    this.className = className;
  }
}

/** Pairs whose keys may be any value. */
export class Amf3Dictionary {
  readonly pairs: [Amf3Value, Amf3Value][];
  readonly hasWeakKeys: boolean;

  constructor(pairs: [Amf3Value, Amf3Value][] = [], hasWeakKeys: boolean = false) {
    this.pairs = pairs;
    this.hasWeakKeys = hasWeakKeys;
  }
}

/** The byte that stands before each value and says what it is. */
export const AMF3_MARKER = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;
