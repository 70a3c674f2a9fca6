/** The bodies of protocol control and user control messages, RTMP 1.0 sections 5.4 and 7.1.7. */

/** Four bytes: a chunk size, an acknowledged byte count, a window. */
export function encodeUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Set Peer Bandwidth with limit type 2 (dynamic), as SRS sends it. */
export function encodePeerBandwidth(bytes: number): Uint8Array {
  return Uint8Array.of(bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes, 2);
}

/** A user control message with one or two 32-bit values. */
export function encodeUserControl(event: number, ...values: number[]): Uint8Array {
  const body = new Uint8Array(2 + 4 * values.length);
  body[0] = event >>> 8;
  body[1] = event;
  values.forEach((value, index) => body.set(encodeUint32(value), 2 + 4 * index));
  return body;
}

/** What a user control message says. */
export interface UserControl {
  /** 16 bits, see `USER_CONTROL`. */
  readonly event: number;
  /** The first 32-bit value: a message stream id, or the time of a ping; undefined when the body ends before. */
  readonly value: number | undefined;
}

/** Reads the body of a user control message; undefined when it is too short for an event. A second value is left out. */
export function decodeUserControl(body: Uint8Array): UserControl | undefined {
  if (body.length < 2) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { event: view.getUint16(0), value: body.length < 6 ? undefined : view.getUint32(2) };
}
