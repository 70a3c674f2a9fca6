import { uint32 } from "../../wire/bytes.ts";
import {
  mediaTagBody,
  type MediaTagInfo,
  readAudioTag,
  readVideoFrame,
  readVideoTag,
} from "../../wire/media_tag.ts";
import { mp4Fragment, type Mp4Run } from "../../wire/mp4/mp4_fragment.ts";
import { mp4Init, type Mp4Track, mp4Track } from "../../wire/mp4/mp4_init.ts";
import { opusDuration } from "../../wire/mp4/opus_duration.ts";
import type { ContainerTarget, FileMessage, Patch, RecordingContainer } from "./recording_container.ts";

/** How much media a fragment holds, in milliseconds, and the most bytes and frames: what a process that is killed loses. */
const FRAGMENT_MS = 400;
const FRAGMENT_BYTES = 1024 * 1024;
const FRAGMENT_FRAMES = 4096;
/** How far audio may be from where its packets put it before that counts as a gap, in seconds. */
const GAP_SECONDS = 0.1;
const MDAT = 0x6d646174;
const MOOV = 0x6d6f6f76;

/** A frame that waits for the next, which says how long it lasts. */
interface Waiting {
  readonly data: Uint8Array;
  /** In the track's units. */
  readonly time: number;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly isSync: boolean;
}

interface OpenTrack {
  readonly track: Mp4Track;
  readonly trackId: number;
  /** The one of the stream's tracks that it is; of several the first that comes. */
  streamTrack: number | undefined;
  waiting: Waiting[];
  /** When its next packet is expected. */
  nextTime: number | undefined;
}

/** Fragmented MP4: fragments of less than half a second, so that all but the last one is readable whatever happens. */
export class Mp4Recording implements RecordingContainer {
  readonly #target: ContainerTarget;
  readonly #tracks: readonly OpenTrack[];
  #sequence = 0;
  #begunMs: number | undefined;
  #bytes = 0;
  #frames = 0;

  /** @param setups What sets up the decoders: of each kind a sequence header or a frame. */
  constructor(
    target: ContainerTarget,
    setups: { readonly video: Uint8Array | undefined; readonly audio: Uint8Array | undefined },
  ) {
    this.#target = target;
    const { video, audio } = setups;
    const tracks = [
      video && mp4Track(readVideoTag(video), video),
      audio && mp4Track(readAudioTag(audio), audio),
    ].filter((track) => track !== undefined);
    this.#tracks = tracks.map((track, index) => ({
      track,
      trackId: index + 1,
      streamTrack: undefined,
      waiting: [],
      nextTime: undefined,
    }));
    target.append(mp4Init(tracks), true);
  }

  /** Tracks stand at a file's beginning. What MP4 is not written of is left out. */
  takes(info: MediaTagInfo): boolean {
    const isWritten = info.media === "video"
      ? ["H264", "HEVC", "AV1"].includes(info.codec)
      : ["AAC", "MP3", "Opus"].includes(info.codec);
    return !isWritten || this.#trackOf(info) !== undefined;
  }

  header(): void {}

  data(): void {}

  frame({ timeMs, payload }: FileMessage, info: MediaTagInfo): void {
    const open = this.#trackOf(info);
    if (open === undefined || (open.streamTrack ??= info.trackId) !== info.trackId) return;
    this.#flushWhenDue(timeMs, info);
    const { data, compositionMs } = info.media === "video"
      ? readVideoFrame(info, payload)
      : { data: mediaTagBody(info, payload), compositionMs: 0 };
    if (data.length === 0) return;
    const { timescale, packetDuration } = open.track;
    const duration = info.media === "video" ? 0 : packetDuration || opusDuration(data);
    const time = timeOf(open, Math.round(timeMs * timescale / 1000), info.media);
    open.nextTime = time + duration;
    open.waiting.push({
      data: data.slice(),
      time,
      duration,
      compositionOffset: Math.round(compositionMs * timescale / 1000),
      isSync: info.media === "audio" || info.isKeyframe,
    });
    this.#begunMs ??= timeMs;
    this.#bytes += data.length;
    this.#frames++;
  }

  flush(): void {
    this.#flush(undefined);
  }

  ending(): readonly Patch[] {
    return [];
  }

  #trackOf({ media, codec }: MediaTagInfo): OpenTrack | undefined {
    return this.#tracks.find(({ track }) => track.media === media && track.codec === codec);
  }

  /** A fragment ends before a video frame, whose time says how long the one before it lasts; before a packet where there is no video. */
  #flushWhenDue(timeMs: number, { media }: MediaTagInfo): void {
    if (this.#begunMs === undefined) return;
    const isFull = this.#bytes >= FRAGMENT_BYTES || this.#frames >= FRAGMENT_FRAMES;
    const isDue = timeMs - this.#begunMs >= FRAGMENT_MS &&
      (media === "video" || this.#tracks.every(({ track }) => track.media !== "video") ||
        timeMs - this.#begunMs >= 2 * FRAGMENT_MS);
    if (isFull || isDue) this.#flush(media === "video" ? timeMs : undefined);
  }

  #flush(nextVideoMs: number | undefined): void {
    const runs = this.#tracks.map((open): Mp4Run => {
      const { waiting, trackId, track } = open;
      open.waiting = [];
      const end = track.media === "video" ? nextVideoMs : undefined;
      return {
        trackId,
        baseTime: waiting[0]?.time ?? 0,
        samples: waiting.map(({ data, time, duration, compositionOffset, isSync }, index) => {
          // The last one of a file lasts as long as the one before it.
          const next = waiting[index + 1]?.time ?? end ??
            (time + (duration || time - (waiting[index - 1]?.time ?? time)));
          return { data, duration: Math.max(0, next - time), compositionOffset, isSync };
        }),
      };
    });
    this.#begunMs = undefined;
    this.#bytes = this.#frames = 0;
    if (runs.some(({ samples }) => samples.length > 0)) {
      this.#target.append(mp4Fragment(++this.#sequence, runs), true);
    }
  }
}

/** Packets of audio follow each other without a gap as long as the stream's milliseconds allow it. Time never goes back. */
function timeOf({ nextTime, track, waiting }: OpenTrack, time: number, media: "audio" | "video"): number {
  const least = waiting.at(-1)?.time ?? nextTime ?? 0;
  if (media === "video" || nextTime === undefined) return Math.max(time, least);
  return time - nextTime > GAP_SECONDS * track.timescale ? time : nextTime;
}

/** The file's beginning and each `moof` with its `mdat` are whole; see `WholeBytes`. */
export function wholeMp4Bytes(bytes: Uint8Array, written: number): number {
  let whole = 0;
  for (let at = 0; at + 8 <= written;) {
    const size = uint32(bytes, at);
    const type = uint32(bytes, at + 4);
    if (size < 8 || at + size > written) break;
    at += size;
    if (type === MDAT || type === MOOV) whole = at;
  }
  return whole;
}
