import { RtmpError } from "../base/errors.ts";
import { metadataText } from "../wire/metadata.ts";

/** Longest name that is told, in characters. */
const MAX_LENGTH = 128;

/** What encoders call themselves, read once from each stream's metadata. */
export class StreamPrograms {
  readonly #known = new WeakMap<Uint8Array, string>();

  /** Undefined where the metadata does not say it, or there is none. */
  of(metadata: Uint8Array | undefined): string | undefined {
    if (metadata === undefined) return undefined;
    let program = this.#known.get(metadata);
    if (program === undefined) this.#known.set(metadata, program = read(metadata));
    return program === "" ? undefined : program;
  }
}

function read(metadata: Uint8Array): string {
  try {
    const text = metadataText(metadata, "encoder") ?? "";
    // OBS calls itself "obs-output module (libobs version 31.0.0)".
    const obs = /^obs-output module \(libobs version ([^)\s]{1,32})/.exec(text)?.[1];
    return obs === undefined ? text.slice(0, MAX_LENGTH).toWellFormed() : `OBS ${obs}`;
  } catch (error) {
    if (error instanceof RtmpError) return "";
    throw error;
  }
}
