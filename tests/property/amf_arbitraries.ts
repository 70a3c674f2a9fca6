/**
 * AMF values, and bytes that look like AMF but need not be.
 *
 * @module
 */
import fc from "fast-check";
import {
  Amf0AvmPlus,
  Amf0Date,
  Amf0EcmaArray,
  Amf0Object,
  Amf0Unsupported,
  type Amf0Value,
  Amf0XmlDocument,
} from "../../lib/wire/amf0.ts";
import {
  Amf3Array,
  type Amf3Complex,
  Amf3Date,
  Amf3Dictionary,
  Amf3Object,
  type Amf3Value,
  Amf3Vector,
  Amf3Xml,
} from "../../lib/wire/amf3_value.ts";

/** Text that UTF-8 can say; lone surrogates would come back as U+FFFD. */
export const amfText: fc.Arbitrary<string> = fc.string({ unit: "binary", maxLength: 12 });

const int32 = fc.integer();
const scalar = fc.oneof(
  fc.double(),
  fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
  fc.boolean(),
  amfText,
  fc.constant(null),
  fc.constant(undefined),
);

const amf3 = fc.letrec<{ value: Amf3Value; complex: Amf3Complex }>((tie) => {
  const values = fc.array(tie("value"), { maxLength: 4 });
  const entries = fc.array(fc.tuple(amfText.filter((name) => name !== ""), tie("value")), { maxLength: 4 })
    .map((pairs) => new Map(pairs));
  return {
    value: fc.oneof({ maxDepth: 4 }, scalar, tie("complex")),
    complex: fc.oneof(
      { maxDepth: 4 },
      fc.double().map((time) => new Amf3Date(time)),
      fc.tuple(amfText, fc.boolean()).map(([text, isDocument]) => new Amf3Xml(text, isDocument)),
      fc.uint8Array({ maxLength: 8 }),
      fc.array(int32, { maxLength: 4 }).map((items) => new Amf3Vector("int", items)),
      fc.array(fc.double(), { maxLength: 4 }).map((items) => new Amf3Vector("double", items, true)),
      fc.tuple(values, entries).map(([items, named]) => new Amf3Array(items, named)),
      fc.tuple(values, amfText).map(([items, name]) => new Amf3Vector("object", items, false, name)),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((pairs) =>
        new Amf3Dictionary(pairs)
      ),
      entries.map((dynamic) => new Amf3Object(dynamic)),
      fc.tuple(entries, amfText).map(([sealed, className]) =>
        new Amf3Object(sealed, { className, sealedNames: [...sealed.keys()], isDynamic: false })
      ),
    ),
  };
});

/** Any AMF3 value without shared parts. */
export const amf3Value: fc.Arbitrary<Amf3Value> = amf3.value;

/** Any AMF0 value without shared parts. */
export const amf0Value: fc.Arbitrary<Amf0Value> = fc.letrec<{ value: Amf0Value }>((tie) => {
  const entries = fc.array(fc.tuple(amfText, tie("value")), { maxLength: 4 }).map((pairs) => new Map(pairs));
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.tuple(fc.double(), fc.integer({ min: -32_768, max: 32_767 }))
        .map(([time, timeZone]) => new Amf0Date(time, timeZone)),
      amfText.map((text) => new Amf0XmlDocument(text)),
      fc.constantFrom("movieClip", "unsupported", "recordSet").map((type) => new Amf0Unsupported(type)),
      amf3.complex.map((value) => new Amf0AvmPlus(value)),
      fc.array(tie("value"), { maxLength: 4 }),
      entries.map((properties) => new Amf0Object(properties)),
      entries.map((properties) => new Amf0EcmaArray(properties)),
      fc.tuple(entries, amfText).map(([properties, name]) => new Amf0Object(properties, name)),
    ),
  };
}).value;

/** Lengths, counts and indexes as a liar would choose them: mostly small, some enormous. */
const lie = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(0x7f, 0xff, 0x400, 0xffff, 0x10000, 0x7fffffff, 0xffffffff) },
);

const u8 = fc.integer({ min: 0, max: 0xff }).map((value) => [value]);
const u16 = lie.map((value) => [(value >> 8) & 0xff, value & 0xff]);
const u32 = lie.map((value) => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
const f64 = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => [...bytes]);
/** Short, so that lies about strings are sometimes true. */
const text = fc.array(fc.constantFrom(0x61, 0x62, 0x00, 0x09, 0xc3, 0xa9, 0xff), { maxLength: 4 });
const u29 = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 0x2f }).map((value) => [value]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([0x81, 0x00], [0xff, 0xff, 0xff, 0xff], [0xbf, 0xff, 0xff, 0xfe], [0xff]),
  },
);

/** One piece of grammar, right or nearly right. */
const amf0Piece = fc.oneof(
  fc.tuple(fc.constant([0x00]), f64),
  fc.tuple(fc.constant([0x01]), u8),
  fc.tuple(fc.constantFrom([0x02], [0x10]), u16, text),
  fc.constantFrom([[0x03]], [[0x04]], [[0x05]], [[0x06]], [[0x0d]], [[0x0e]], [[0x0b]]),
  fc.tuple(fc.constant([0x07]), u16),
  fc.tuple(fc.constantFrom([0x08], [0x0a]), u32),
  fc.constant([[0x00, 0x00, 0x09]]),
  fc.tuple(fc.constantFrom([0x0c], [0x0f]), u32, text),
  // A name, which makes sense after 03, 08 and 10.
  fc.tuple(u16, text),
  fc.constant([[0x00, 0x01, 0x61]]),
);

/** AMF3 values after their switch, or anywhere else. */
const amf3Piece = fc.oneof(
  fc.tuple(fc.constantFrom([0x11], [0x11, 0x09], [0x11, 0x0a], [0x09], [0x0a]), u29, u29),
  fc.tuple(fc.constantFrom([0x04], [0x06], [0x07], [0x0b], [0x0c]), u29, text),
  fc.tuple(fc.constantFrom([0x05], [0x08, 0x01]), f64),
  fc.tuple(fc.constantFrom([0x0d], [0x0e], [0x0f], [0x10], [0x11]), u29, u8),
  fc.constantFrom([[0x00]], [[0x01]], [[0x02]], [[0x03]]),
);

/** Bytes that a decoder follows some way into before it finds the lie, if there is one. */
export const plausibleAmf0: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof({ weight: 3, arbitrary: amf0Piece }, { weight: 2, arbitrary: amf3Piece }), {
    maxLength: 40,
  })
  .map((pieces) => Uint8Array.from(pieces.flat(2)));
