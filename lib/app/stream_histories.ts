import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamHistory } from "../http/server_view.ts";

/** Seconds that are kept of each stream. */
export const HISTORY_SECONDS = 300;
const SECOND_MS = 1000;

/** One number a second, the oldest overwritten; NaN where nobody fed the stream. */
class Ring {
  readonly #values = new Float32Array(HISTORY_SECONDS).fill(NaN);

  set(second: number, value: number): void {
    this.#values[second % HISTORY_SECONDS] = value;
  }

  /** Oldest first; `count` seconds until `last`. */
  list(last: number, count: number): (number | null)[] {
    return Array.from({ length: count }, (_, index) => {
      const value = this.#values[(last - count + 1 + index) % HISTORY_SECONDS] ?? NaN;
      return Number.isNaN(value) ? null : Math.round(value * 100) / 100;
    });
  }
}

interface Record {
  readonly kbps: Ring;
  readonly fps: Ring;
  readonly keyFrames: Ring;
  readonly firstSecond: number;
  bytes: number;
  frames: number;
  keys: number;
}

/** The last minutes of each stream, a sample a second: 3.6 kB a stream, which go with it. */
export class StreamHistories {
  readonly #records = new WeakMap<LiveStream, Record>();
  #lastMs: number | undefined;
  #lastSecond = 0;

  /**
   * Takes a sample of every stream; to be called once a second. What a late call covers is the mean of that time, in its last second.
   *
   * @param unixMs Milliseconds since 1970.
   */
  sample(streams: Iterable<LiveStream>, unixMs: number): void {
    const second = Math.floor(unixMs / SECOND_MS);
    // A clock that was set back: what is kept stands, and goes on when it has caught up.
    if (this.#lastMs !== undefined && second <= this.#lastSecond) return;
    const passedS = this.#lastMs === undefined ? 1 : (unixMs - this.#lastMs) / SECOND_MS;
    for (const stream of streams) this.#sampleOne(stream, second, passedS);
    this.#lastMs = unixMs;
    this.#lastSecond = second;
  }

  /** What is known of a stream; undefined before its first sample. */
  of(stream: LiveStream): StreamHistory | undefined {
    const record = this.#records.get(stream);
    if (record === undefined) return undefined;
    const count = Math.min(HISTORY_SECONDS, this.#lastSecond - record.firstSecond + 1);
    return {
      intervalMs: SECOND_MS,
      endMs: this.#lastSecond * SECOND_MS,
      kbps: record.kbps.list(this.#lastSecond, count),
      fps: record.fps.list(this.#lastSecond, count),
      keyFrames: record.keyFrames.list(this.#lastSecond, count),
    };
  }

  #sampleOne(stream: LiveStream, second: number, passedS: number): void {
    const { receivedBytes: bytes, videoFrames: frames, keyFrames: keys } = stream;
    let record = this.#records.get(stream);
    if (record === undefined) {
      record = {
        kbps: new Ring(),
        fps: new Ring(),
        keyFrames: new Ring(),
        firstSecond: second,
        bytes: 0,
        frames: 0,
        keys: 0,
      };
      this.#records.set(stream, record);
    }
    const isFed = stream.feed !== undefined;
    // The seconds that a late sample has left out hold what is older than the ring otherwise.
    const missed = Math.min(HISTORY_SECONDS, second - Math.max(this.#lastSecond, record.firstSecond) - 1);
    for (let index = 1; index <= missed; index++) this.#set(record, second - index, undefined);
    this.#set(
      record,
      second,
      isFed
        ? {
          kbps: (bytes - record.bytes) * 8 / 1000 / passedS,
          fps: (frames - record.frames) / passedS,
          keyFrames: keys - record.keys,
        }
        : undefined,
    );
    record.bytes = bytes;
    record.frames = frames;
    record.keys = keys;
  }

  #set(
    record: Record,
    second: number,
    values: { kbps: number; fps: number; keyFrames: number } | undefined,
  ): void {
    record.kbps.set(second, values?.kbps ?? NaN);
    record.fps.set(second, values?.fps ?? NaN);
    record.keyFrames.set(second, values?.keyFrames ?? NaN);
  }
}
