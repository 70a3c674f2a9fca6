import { RtmpError } from "../base/errors.ts";
import { Amf0EcmaArray, Amf0Object, decodeAmf0, encodeAmf0 } from "./amf0.ts";
import type { WireLimits } from "./limits.ts";

const SET_DATA_FRAME = new TextEncoder().encode("@setDataFrame");
const CLEAR_DATA_FRAME = new TextEncoder().encode("@clearDataFrame");
const ON_META_DATA = new TextEncoder().encode("onMetaData");

/**
 * The AMF0 body of a data message as players should get it: without the AMF3 format byte and without `@setDataFrame`.
 * Undefined for what says nothing to them: `@clearDataFrame`, and fillers (ossrs/srs #3803).
 *
 * @returns A view into `payload`.
 */
export function readDataMessage(payload: Uint8Array): Uint8Array | undefined {
  // Type 15 should begin with a format byte; SRS's does not. A string marker after a zero tells.
  let body = payload[0] === 0 && payload[1] === 2 ? payload.subarray(1) : payload;
  if (body.length === 0 || (body.length === 4 && body[0] === 0)) return undefined;
  if (startsWithString(body, CLEAR_DATA_FRAME)) return undefined;
  if (startsWithString(body, SET_DATA_FRAME)) body = body.subarray(3 + SET_DATA_FRAME.length);
  return body.length === 0 ? undefined : body;
}

/** Whether a data message's body is `onMetaData`. */
export function isMetadata(body: Uint8Array): boolean {
  return startsWithString(body, ON_META_DATA);
}

/**
 * Rewrites an `onMetaData` body: always an ECMA array (FFmpeg reads nothing else at once), `duration` removed as SRS does, since a
 * live stream has none, and `server` added.
 *
 * @throws {RtmpError} When it is not AMF0, or passes a limit.
 */
export function rewriteMetadata(body: Uint8Array, server: string, limits: WireLimits): Uint8Array {
  const values = decodeAmf0(body, limits);
  const described = values.find((value) => value instanceof Amf0Object);
  if (!(described instanceof Amf0Object)) return body;
  const entries = new Map(described.entries);
  entries.delete("duration");
  entries.set("server", server);
  const rewritten = encodeAmf0(["onMetaData", new Amf0EcmaArray(entries)]);
  // Text that was not UTF-8 has grown; a message's length has 24 bits.
  const longest = Math.min(limits.maxMessageBytes, 0xffffff);
  if (rewritten.length > longest) {
    throw new RtmpError(
      "message-too-large",
      `Cannot pass on metadata: ${rewritten.length} bytes, limit is ${longest}`,
    );
  }
  return rewritten;
}

function startsWithString(body: Uint8Array, text: Uint8Array): boolean {
  if (body.length < 3 + text.length || body[0] !== 2 || body[1] !== 0 || body[2] !== text.length) {
    return false;
  }
  for (let i = 0; i < text.length; i++) if (body[3 + i] !== text[i]) return false;
  return true;
}
