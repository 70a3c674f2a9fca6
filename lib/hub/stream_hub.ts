import { LiveStream, type LiveStreamOptions, type OnOutput } from "./live_stream.ts";

/** A stream that somebody plays, feeds or waits for. */
export interface HeldStream {
  readonly stream: LiveStream;
  readonly release: () => void;
}

/** The live streams of this process by key. A stream exists while it has a feed or a player. */
export class StreamHub {
  readonly #streams = new Map<string, LiveStream>();
  readonly #onOutput: OnOutput;

  /** @param onOutput Called once per message and output format: the write schedulers listen here. */
  constructor(onOutput: OnOutput) {
    this.#onOutput = onOutput;
  }

  get size(): number {
    return this.#streams.size;
  }

  get(key: string): LiveStream | undefined {
    return this.#streams.get(key);
  }

  /** The stream of that key, made with `options` when there is none. */
  open(key: string, options: () => LiveStreamOptions): LiveStream {
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new LiveStream(key, options(), this.#onOutput);
      this.#streams.set(key, stream);
    }
    return stream;
  }

  /** That stream, which stays the one of its key until it is released; releasing it again does nothing. */
  hold(key: string, options: () => LiveStreamOptions): HeldStream {
    const stream = this.open(key, options);
    stream.keepers++;
    let isReleased = false;
    return {
      stream,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        stream.keepers--;
        this.release(stream);
      },
    };
  }

  /** Forgets a stream that nobody feeds, plays or looks after. Call whenever one of them leaves. */
  release(stream: LiveStream): boolean {
    if (stream.feed !== undefined || stream.playerCount > 0 || stream.isTapped || stream.keepers > 0) {
      return false;
    }
    return this.#streams.get(stream.key) === stream && this.#streams.delete(stream.key);
  }

  values(): Iterable<LiveStream> {
    return this.#streams.values();
  }
}
