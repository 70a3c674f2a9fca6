/** Numbers in bytes, big-endian, as all of RTMP and FLV but one field has them. */

/** The 24 bits at an offset. */
export function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** The 32 bits at an offset. */
export function uint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | uint24(bytes, at + 1)) >>> 0;
}

/** The 32 bits at an offset, the low byte first: a message stream id. */
export function uint32LittleEndian(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** Writes the low 32 bits of a number; returns the offset behind them. */
export function writeUint32(target: Uint8Array, offset: number, value: number): number {
  target[offset++] = value >>> 24;
  target[offset++] = value >>> 16;
  target[offset++] = value >>> 8;
  target[offset++] = value;
  return offset;
}
