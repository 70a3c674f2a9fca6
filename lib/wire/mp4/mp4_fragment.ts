/**
 * Fragments of MP4 files: `moof` and `mdat`.
 *
 * @module
 * @see ISO/IEC 14496-12, 8.8
 */
import { joinBytes } from "../../base/join_bytes.ts";
import { box, fullBox, u32 } from "./boxes.ts";

const DEFAULT_BASE_IS_MOOF = 0x020000;
/** A data offset, and of each sample its duration, size, flags and composition offset. */
const RUN_FLAGS = 0x000f01;
const SYNC_SAMPLE = 0x0200_0000;
const OTHER_SAMPLE = 0x0101_0000;
const SAMPLE_BYTES = 16;

/** One frame or packet. Times are in its track's units. */
export interface Mp4Sample {
  readonly data: Uint8Array;
  readonly duration: number;
  /** How much later than decoded it is shown; may be negative. */
  readonly compositionOffset: number;
  /** A decoder may begin here. */
  readonly isSync: boolean;
}

/** What a fragment holds of one track. */
export interface Mp4Run {
  readonly trackId: number;
  /** When its first sample is decoded. */
  readonly baseTime: number;
  readonly samples: readonly Mp4Sample[];
}

/**
 * A fragment, the runs' data one after the other. Runs without samples are left out.
 *
 * @param sequence Its number, 32 bits.
 */
export function mp4Fragment(sequence: number, runs: readonly Mp4Run[]): Uint8Array {
  const present = runs.filter(({ samples }) => samples.length > 0);
  // Sizes do not depend on offsets, so that a first try says where the data begins.
  const headBytes = movieFragment(sequence, present, 0).length + 8;
  const head = movieFragment(sequence, present, headBytes);
  const data = present.flatMap(({ samples }) => samples.map((sample) => sample.data));
  return joinBytes([head, box("mdat", ...data)]);
}

function movieFragment(sequence: number, runs: readonly Mp4Run[], dataBegins: number): Uint8Array {
  let offset = dataBegins;
  const tracks = runs.map(({ trackId, baseTime, samples }) => {
    const records = new Uint8Array(samples.length * SAMPLE_BYTES);
    const view = new DataView(records.buffer);
    const begins = offset;
    for (const [index, { data, duration, compositionOffset, isSync }] of samples.entries()) {
      const at = index * SAMPLE_BYTES;
      view.setUint32(at, duration);
      view.setUint32(at + 4, data.length);
      view.setUint32(at + 8, isSync ? SYNC_SAMPLE : OTHER_SAMPLE);
      view.setInt32(at + 12, compositionOffset);
      offset += data.length;
    }
    return box(
      "traf",
      fullBox("tfhd", 0, DEFAULT_BASE_IS_MOOF, u32(trackId)),
      fullBox("tfdt", 1, 0, u32(Math.floor(baseTime / 0x1_0000_0000), baseTime % 0x1_0000_0000)),
      fullBox("trun", 1, RUN_FLAGS, u32(samples.length, begins), records),
    );
  });
  return box("moof", fullBox("mfhd", 0, 0, u32(sequence)), ...tracks);
}
