import type { LoadSnapshot } from "./load_task.ts";
import type { RtmpClient } from "../lib/tools/rtmp_client.ts";
import type { FeedMessage } from "../lib/wire/feed_message.ts";
import { connectRtmp, isMedia } from "./dial.ts";
import {
  PUBLISH_CHUNK_SIZE,
  STAMP_BYTES,
  type SyntheticStream,
  syntheticStream,
} from "./synthetic_stream.ts";

/** More than one write of the server brings, so that reads can be counted as writes. */
const PROBE_BUFFER_BYTES = 1024 * 1024;

/**
 * One published stream whose media messages carry their send time in their last bytes, and probes that play it: what they see is how long
 * the server takes from arrival to write, plus two hops over the loopback.
 */
export class MeasuredStream {
  readonly #publisher: RtmpClient;
  readonly #stream: SyntheticStream;
  readonly #probes: RtmpClient[] = [];
  #sentBytes = 0;
  #failed = 0;
  #reason: string | undefined;
  #firstMediaMs: number[] = [];
  #delaysMs: number[][] = [];
  #readsBefore = 0;
  #snapshotMs = performance.now();

  private constructor(publisher: RtmpClient, stream: SyntheticStream) {
    this.#publisher = publisher;
    this.#stream = stream;
  }

  static async start(port: number, kbps: number): Promise<MeasuredStream> {
    const publisher = await connectRtmp(port, { chunkSize: PUBLISH_CHUNK_SIZE });
    await publisher.publish("bench");
    const measured = new MeasuredStream(publisher, syntheticStream(kbps, publisher.messageStreamId));
    measured.#run().catch(measured.#fail);
    publisher.ended.then(() => measured.#fail(new Error("The server has closed the connection")));
    return measured;
  }

  /** One more player that looks at every message, at the server on `port`; resolves when media has come. */
  async addProbe(port: number): Promise<void> {
    const index = this.#delaysMs.push([]) - 1;
    const first = Promise.withResolvers<void>();
    const onMedia = (message: FeedMessage) => {
      if (!isMedia(message)) return;
      this.#note(message, index);
      first.resolve();
    };
    const begunMs = performance.now();
    const probe = await connectRtmp(port, { readBytes: PROBE_BUFFER_BYTES, onMedia });
    probe.ended.then(() => {
      this.#fail(new Error("The server has closed the connection"));
      first.resolve();
    });
    await probe.play("bench");
    await first.promise;
    this.#firstMediaMs.push(performance.now() - begunMs);
    this.#probes.push(probe);
  }

  snapshot(): Partial<LoadSnapshot> {
    const delaysMs = this.#delaysMs;
    const reads = this.#probes[0]?.reads ?? 0;
    const probeReads = reads - this.#readsBefore;
    this.#delaysMs = delaysMs.map(() => []);
    this.#readsBefore = reads;
    this.#snapshotMs = performance.now();
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#probes.reduce((sum, probe) => sum + probe.receivedBytes, 0),
      failed: this.#failed,
      reason: this.#reason,
      firstMediaMs: this.#firstMediaMs,
      delaysMs,
      probeReads,
    };
  }

  readonly #fail = (error: unknown): void => {
    this.#failed++;
    this.#reason ??= String(error);
  };

  #note({ payload }: FeedMessage, index: number): void {
    const sentMs = new DataView(payload.buffer, payload.byteOffset).getFloat64(payload.length - STAMP_BYTES);
    // What was sent before the window, such as the group of pictures of a player that joins, says nothing about delay.
    if (sentMs >= this.#snapshotMs) this.#delaysMs[index]?.push(performance.now() - sentMs);
  }

  async #run(): Promise<void> {
    const { start, cycle, cycleMs } = this.#stream;
    for (const bytes of start) await this.#publisher.write(bytes);
    for (let begunMs = performance.now();; begunMs += cycleMs) {
      for (const { atMs, bytes } of cycle) {
        const waitMs = begunMs + atMs - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        const stamped = bytes.slice();
        new DataView(stamped.buffer).setFloat64(stamped.length - STAMP_BYTES, performance.now());
        await this.#publisher.write(stamped);
        this.#sentBytes += stamped.length;
      }
    }
  }
}
