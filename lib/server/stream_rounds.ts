import type { Clock } from "../base/clock.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { StreamHub } from "../hub/stream_hub.ts";
import { ReadPacer, type ReadSlot } from "../net/read_pacer.ts";
import { WriteScheduler } from "../net/write_scheduler.ts";

/** The live streams of this process, and the rounds in which their feeds are read and their players written to. */
export class StreamRounds {
  readonly hub: StreamHub;
  readonly #clock: Clock;
  readonly #schedulers = new Map<number | "auto", WriteScheduler>();
  readonly #pacers = new Map<number | "auto", ReadPacer>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.hub = new StreamHub((output, stream) => {
      if (output.cursors.size > 0) this.scheduler(stream.options.gatherMs).markDirty(output);
    });
  }

  /** The write rounds of all players with this gather time. */
  scheduler(gatherMs: number | "auto"): WriteScheduler {
    let scheduler = this.#schedulers.get(gatherMs);
    if (scheduler === undefined) {
      scheduler = new WriteScheduler(gatherMs, this.#clock);
      this.#schedulers.set(gatherMs, scheduler);
    }
    return scheduler;
  }

  /** The read slots of all publishers with this pause. */
  pacer(pauseMs: number | "auto"): ReadPacer {
    let pacer = this.#pacers.get(pauseMs);
    if (pacer === undefined) {
      pacer = new ReadPacer(pauseMs, this.#clock);
      this.#pacers.set(pauseMs, pacer);
    }
    return pacer;
  }

  /**
   * What to wait for before a feed is read again: see `ReadPacer.pause`.
   *
   * @param readPauseMs `publish.mr_latency`.
   */
  pauseReading(
    stream: LiveStream | undefined,
    readPauseMs: number | "auto",
    bytesPerSecond: number,
  ): Promise<void> | undefined {
    const pacer = this.pacer(readPauseMs);
    if (stream === undefined) return pacer.pause()?.wait();
    if (stream.hurried > 0) return undefined;
    const slot = stream.playerCount === 0
      ? pacer.pauseUnwatched(bytesPerSecond)
      : this.#pauseForRound(pacer, stream, bytesPerSecond);
    return slot && untilWoken(stream, slot);
  }

  #pauseForRound(pacer: ReadPacer, stream: LiveStream, bytesPerSecond: number): ReadSlot | undefined {
    const { gatherMs, untilRoundMs } = this.scheduler(stream.options.gatherMs);
    return pacer.pause({ gatherMs, inMs: untilRoundMs }, bytesPerSecond);
  }

  /** Lets nobody wait any longer; for the end. */
  close(): void {
    for (const scheduler of this.#schedulers.values()) scheduler.close();
    for (const pacer of this.#pacers.values()) pacer.close();
  }
}

/** Resolves in a slot, or as soon as the feed should be read. */
function untilWoken(stream: LiveStream, slot: ReadSlot): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      stream.wakeListeners.delete(wake);
      slot.delete(wake);
      resolve();
    };
    stream.wakeListeners.add(wake);
    slot.add(wake);
  });
}
