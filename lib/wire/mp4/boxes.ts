/**
 * Boxes of ISO base media files.
 *
 * @module
 * @see ISO/IEC 14496-12
 */
import { joinBytes } from "../../base/join_bytes.ts";

/** Big-endian numbers and text one after the other: `u8(…)`, `u16(…)`, `u32(…)`. */
export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 8 & 0xff, value & 0xff]));
}

export function u32(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff]),
  );
}

export function text(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

/** A box of what is given, which may be boxes. */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  return joinBytes([u32(size), text(type), ...parts]);
}

/** A box with a version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return box(type, u32(version << 24 | flags), ...parts);
}
