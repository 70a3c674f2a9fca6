/**
 * Data messages: what a publisher says beside its media.
 *
 * @module
 */

const SET_DATA_FRAME = new TextEncoder().encode("@setDataFrame");
const CLEAR_DATA_FRAME = new TextEncoder().encode("@clearDataFrame");
const ON_META_DATA = new TextEncoder().encode("onMetaData");

/** AMF0's marker of a string of up to 65535 bytes. */
const STRING = 0x02;
/** AMF0's marker that an AMF3 value follows, and AMF3's of a string. */
const AVM_PLUS = 0x11;
const AMF3_STRING = 0x06;

/** FFmpeg reads the name into 64 bytes, and takes a longer one for the end of its input. */
const MAX_NAME_BYTES = 63;

/**
 * The AMF0 body of a data message as players should get it, its name first: without the AMF3 format byte and without
 * `@setDataFrame`. Undefined for what says nothing to them: `@clearDataFrame`, fillers (ossrs/srs #3803), and what has no name, for
 * which FFmpeg loses the media around it.
 *
 * @returns A view into `payload` where possible.
 */
export function readDataMessage(payload: Uint8Array): Uint8Array | undefined {
  // Type 15 should begin with a format byte; SRS's does not. What follows a zero tells.
  const body = payload[0] === 0 && (payload[1] === STRING || payload[1] === AVM_PLUS)
    ? payload.subarray(1)
    : payload;
  const first = readName(body);
  if (first === undefined || isEqual(first.name, CLEAR_DATA_FRAME)) return undefined;
  if (!isEqual(first.name, SET_DATA_FRAME)) return withName(body, first);
  const named = body.subarray(first.end);
  const second = readName(named);
  return second && withName(named, second);
}

/** Whether a data message's body is `onMetaData`. */
export function isMetadata(body: Uint8Array): boolean {
  const first = readName(body);
  return first !== undefined && isEqual(first.name, ON_META_DATA);
}

interface Name {
  readonly name: Uint8Array;
  /** Offset behind it. */
  readonly end: number;
}

/** The name that a body begins with: an AMF0 string, or an AMF3 string among AMF0 values, as Flash sends it. */
function readName(body: Uint8Array): Name | undefined {
  const [first, second = 0, third = 0] = body;
  let start: number;
  let length: number;
  if (first === STRING) {
    start = 3;
    length = (second << 8) | third;
  } else if (first === AVM_PLUS && second === AMF3_STRING && (third & 0x81) === 1) {
    start = 3;
    length = third >> 1;
  } else {
    return undefined;
  }
  const end = start + length;
  if (length === 0 || length > MAX_NAME_BYTES || end > body.length) return undefined;
  return { name: body.subarray(start, end), end };
}

/** The body with its name in AMF0. */
function withName(body: Uint8Array, { name, end }: Name): Uint8Array {
  if (body[0] === STRING) return body;
  const copy = new Uint8Array(body.length);
  copy.set([STRING, 0, name.length]);
  copy.set(name, 3);
  copy.set(body.subarray(end), end);
  return copy;
}

function isEqual(bytes: Uint8Array, text: Uint8Array): boolean {
  if (bytes.length !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text[i]) return false;
  return true;
}
