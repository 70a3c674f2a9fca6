import type { MediaTagInfo } from "../../wire/media_tag.ts";

/** Bytes that are written over others when a file is closed. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What a file was when it was closed. */
export interface FileFacts {
  readonly durationMs: number;
  readonly fileBytes: number;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

/** Where a container writes to. */
export interface ContainerTarget {
  /** Adds bytes that belong together; `isWhole`: nothing is to be gathered with them. */
  append(bytes: Uint8Array, isWhole?: boolean): void;
  appendTag(typeId: number, timestamp: number, payload: Uint8Array): void;
}

/** A message with its time in the file, in milliseconds. */
export interface FileMessage {
  readonly typeId: number;
  readonly timeMs: number;
  readonly payload: Uint8Array;
}

/** How a file holds what is recorded. */
export interface RecordingContainer {
  /** Whether a frame or a header, of a kind that the file has none of yet, can go into it. */
  takes(info: MediaTagInfo): boolean;
  header(message: FileMessage): void;
  frame(message: FileMessage, info: MediaTagInfo): void;
  data(message: FileMessage): void;
  /** Writes what is left. */
  flush(): void;
  ending(facts: FileFacts): readonly Patch[];
}

/** How many of the first `written` of these bytes can be read; `isBeginning`: the file begins with them. */
export type WholeBytes = (bytes: Uint8Array, written: number, isBeginning: boolean) => number;
