import { RtmpError } from "../base/errors.ts";
import type { MediaTagInfo } from "../wire/media_tag.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";
import type { StreamMessage } from "./output_format.ts";

/** Tracks of a stream, audio and video together, whose headers are kept. */
const MAX_TRACKS = 16;
/** A track has a configuration and one thing more: colour, or the order of channels. */
const MAX_HEADERS = 2 * MAX_TRACKS;
const MAX_BYTES = 1024 * 1024;

interface Header {
  readonly info: MediaTagInfo;
  readonly message: StreamMessage;
  /** Whether anybody has been given the message, who may hold it still. */
  isSeen: boolean;
}

/** The codec headers in force, for players who come later. A feed may name any number of tracks: the oldest go first. */
export class HeaderCache {
  /** In the order in which they last came. */
  readonly #headers = new Map<string, Header>();
  /** How many headers name a track. */
  readonly #tracks = new Map<string, number>();
  #bytes = 0;

  /**
   * Keeps a copy of a header in the place of the one that it follows.
   *
   * @param info Of a message with a `headerKind`.
   * @throws {RtmpError} `message-too-large` when it is larger than all headers may be; none is kept in its place then.
   */
  set(info: MediaTagInfo, message: StreamMessage): void {
    const { payload } = message;
    const last = this.#headers.get(info.headerKey);
    // Deleted first: a Map keeps the place of a key that is set again, and players need the order of arrival.
    this.#delete(info.headerKey);
    if (payload.length > MAX_BYTES || info.trackIds.length > MAX_TRACKS) {
      throw new RtmpError(
        "message-too-large",
        `Cannot keep a codec header of ${payload.length} bytes for ${info.trackIds.length} tracks: ` +
          `limit is ${MAX_BYTES} bytes and ${MAX_TRACKS} tracks a stream`,
      );
    }
    const copy = { ...message, payload: copyOf(payload, last) };
    this.#headers.set(info.headerKey, { info, message: copy, isSeen: false });
    this.#bytes += payload.length;
    for (const track of tracksOf(info)) this.#tracks.set(track, (this.#tracks.get(track) ?? 0) + 1);
    for (const key of this.#headers.keys()) {
      const isWithin = this.#bytes <= MAX_BYTES && this.#tracks.size <= MAX_TRACKS &&
        this.#headers.size <= MAX_HEADERS;
      if (isWithin) return;
      this.#delete(key);
    }
  }

  /** What was said of these tracks no longer holds. */
  end({ media, trackIds }: MediaTagInfo): void {
    const ended = new Set(trackIds);
    for (const [key, { info }] of this.#headers) {
      if (info.media === media && info.trackIds.some((id) => ended.has(id))) this.#delete(key);
    }
  }

  clear(): void {
    this.#headers.clear();
    this.#tracks.clear();
    this.#bytes = 0;
  }

  /** The newest configuration of a type of media. */
  configuration(typeId: number): Uint8Array | undefined {
    for (const header of this.#headers.values()) {
      const { message, info } = header;
      if (message.typeId !== typeId || !info.isSequenceHeader) continue;
      header.isSeen = true;
      return message.payload;
    }
    return undefined;
  }

  /** Audio's, then video's: the order in which SRS sends them. */
  messages(): StreamMessage[] {
    const all = [...this.#headers.values()].map((header) => {
      header.isSeen = true;
      return header.message;
    });
    return [MESSAGE_TYPE.audio, MESSAGE_TYPE.video].flatMap((id) =>
      all.filter(({ typeId }) => typeId === id)
    );
  }

  #delete(key: string): void {
    const header = this.#headers.get(key);
    if (header === undefined) return;
    this.#headers.delete(key);
    this.#bytes -= header.message.payload.length;
    for (const track of tracksOf(header.info)) {
      const count = this.#tracks.get(track) as number;
      if (count === 1) this.#tracks.delete(track);
      else this.#tracks.set(track, count - 1);
    }
  }
}

/** The bytes in memory of their own: that of the header before, where nobody has seen it. Encoders repeat headers, some at every frame. */
function copyOf(payload: Uint8Array, last: Header | undefined): Uint8Array {
  const memory = last?.message.payload;
  if (memory === undefined || last?.isSeen === true || memory.length !== payload.length) {
    return payload.slice();
  }
  memory.set(payload);
  return memory;
}

function tracksOf({ media, trackIds }: MediaTagInfo): string[] {
  return trackIds.map((id) => `${media}/${id}`);
}
