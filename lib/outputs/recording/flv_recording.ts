import { RtmpError } from "../../base/errors.ts";
import { Amf0EcmaArray, Amf0Object, type Amf0Value, decodeAmf0, encodeAmf0 } from "../../wire/amf0.ts";
import { flvHeader, flvTagBytes, readFlvTagHeader, TAG_HEADER_BYTES, writeFlvTag } from "../../wire/flv.ts";
import { MESSAGE_TYPE } from "../../wire/message_type.ts";
import type {
  ContainerTarget,
  FileFacts,
  FileMessage,
  Patch,
  RecordingContainer,
} from "./recording_container.ts";

/** What a file begins with, before its first tag. */
const FLV_HEADER_BYTES = 13;
/** Where the flags of audio and video stand in a file. */
const FLAGS_OFFSET = 4;
/** Where the number of `duration` stands: the file's header, a tag's header, "onMetaData", the array's count, the name, a marker. */
const DURATION_OFFSET = 13 + 11 + 13 + 5 + 10 + 1;
/** Of `filesize`, which follows it. */
const FILE_SIZE_OFFSET = DURATION_OFFSET + 8 + 10 + 1;

/**
 * What an FLV file begins with: a header that promises audio and video, and metadata with a `duration` and a `filesize` of 0, which
 * are filled in when it is closed. A file that never is stays readable: players look for the end themselves.
 *
 * @param metadata The stream's own, an AMF0 body.
 */
function flvBeginning(metadata: Uint8Array | undefined): Uint8Array {
  const properties = new Map<string, Amf0Value>([["duration", 0], ["filesize", 0]]);
  for (const [name, value] of propertiesOf(metadata)) if (!properties.has(name)) properties.set(name, value);
  const body = encodeAmf0(["onMetaData", new Amf0EcmaArray(properties)]);
  const header = flvHeader(true, true);
  const bytes = new Uint8Array(header.length + flvTagBytes(body.length));
  bytes.set(header);
  writeFlvTag(bytes, header.length, MESSAGE_TYPE.data, 0, body);
  return bytes;
}

function propertiesOf(metadata: Uint8Array | undefined): Iterable<readonly [string, Amf0Value]> {
  if (metadata === undefined) return [];
  try {
    const described = decodeAmf0(metadata)[1];
    return described instanceof Amf0Object ? described.entries : [];
  } catch (error) {
    // Where more is allowed to pass than is read by default.
    if (error instanceof RtmpError) return [];
    throw error;
  }
}

/** FLV: tags as they are on the wire; what is known at the end only is written over the beginning. */
export class FlvRecording implements RecordingContainer {
  readonly #target: ContainerTarget;

  constructor(target: ContainerTarget, metadata: Uint8Array | undefined) {
    this.#target = target;
    target.append(flvBeginning(metadata));
  }

  takes(): boolean {
    return true;
  }

  header(message: FileMessage): void {
    this.#append(message);
  }

  frame(message: FileMessage): void {
    this.#append(message);
  }

  data(message: FileMessage): void {
    this.#append(message);
  }

  flush(): void {}

  ending({ durationMs, fileBytes, hasAudio, hasVideo }: FileFacts): readonly Patch[] {
    const flags = flvHeader(hasAudio, hasVideo).subarray(FLAGS_OFFSET, FLAGS_OFFSET + 1);
    return [
      { offset: FLAGS_OFFSET, bytes: flags },
      { offset: DURATION_OFFSET, bytes: numberBytes(durationMs / 1000) },
      { offset: FILE_SIZE_OFFSET, bytes: numberBytes(fileBytes) },
    ];
  }

  #append({ typeId, timeMs, payload }: FileMessage): void {
    this.#target.appendTag(typeId, timeMs, payload);
  }
}

/** Whole tags; see `WholeBytes`. */
export function wholeFlvBytes(bytes: Uint8Array, written: number, isBeginning: boolean): number {
  let end = isBeginning ? FLV_HEADER_BYTES : 0;
  if (written < end) return 0;
  for (;;) {
    const next = end + flvTagBytes(end + TAG_HEADER_BYTES <= written ? readFlvTagHeader(bytes, end).size : 0);
    if (next > written) return end;
    end = next;
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}
