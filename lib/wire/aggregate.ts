import { RtmpError } from "../base/errors.ts";
import { BACK_POINTER_BYTES, readFlvTagHeader, TAG_HEADER_BYTES } from "./flv.ts";

/** One message out of an aggregate. */
export interface AggregatePart {
  readonly typeId: number;
  /** Milliseconds, on the clock of the aggregate message; 32 bits. */
  readonly timestamp: number;
  /** A view into the aggregate's payload. */
  readonly payload: Uint8Array;
}

/** Far more than any real aggregate has; without it, 16 MiB of empty parts would become gigabytes of objects. */
const MAX_PARTS = 65_536;

/** What an aggregate holds. */
export interface Aggregate {
  readonly parts: readonly AggregatePart[];
  /** `aggregate-malformed` when the payload ends inside a part, or has too many: what came before counts. */
  readonly error: RtmpError | undefined;
}

/**
 * The messages in the payload of an aggregate message (type 22), which has the form of FLV tags. Their own
 * timestamps only matter relative to the first.
 *
 * @param timestamp Of the aggregate message, in milliseconds; the first part's.
 * @see RTMP 1.0, section 7.1.6
 */
export function splitAggregate(payload: Uint8Array, timestamp: number): Aggregate {
  const parts: AggregatePart[] = [];
  let offset = 0;
  let delta = 0;
  const broken = (what: string): Aggregate => ({
    parts,
    error: new RtmpError("aggregate-malformed", `Cannot split aggregate: ${what}`),
  });
  while (offset < payload.byteLength) {
    const left = payload.byteLength - offset;
    if (left < TAG_HEADER_BYTES) {
      return broken(`${left} bytes left, a part's header has ${TAG_HEADER_BYTES}`);
    }
    const { typeId, size, timestamp: own } = readFlvTagHeader(payload, offset);
    if (left < TAG_HEADER_BYTES + size + BACK_POINTER_BYTES) {
      return broken(`part of ${size} bytes announced, ${left - TAG_HEADER_BYTES} bytes left`);
    }
    if (parts.length >= MAX_PARTS) return broken(`limit is ${MAX_PARTS} parts`);
    if (parts.length === 0) delta = timestamp - own;
    parts.push({
      typeId,
      timestamp: (own + delta) >>> 0,
      payload: payload.subarray(offset + TAG_HEADER_BYTES, offset + TAG_HEADER_BYTES + size),
    });
    offset += TAG_HEADER_BYTES + size + BACK_POINTER_BYTES;
  }
  return { parts, error: undefined };
}
