import type { LoadSnapshot } from "./load_task.ts";
import { isMedia, RtmpClient } from "./rtmp_client.ts";
import { STAMP_BYTES, type SyntheticStream, syntheticStream } from "./synthetic_stream.ts";

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
    const publisher = await RtmpClient.connect(port);
    await publisher.publish("bench");
    const measured = new MeasuredStream(publisher, syntheticStream(kbps, publisher.messageStreamId));
    measured.#run().catch(measured.#fail);
    measured.#listen().catch(measured.#fail);
    return measured;
  }

  /** One more player that looks at every message, at the server on `port`; resolves when media has come. */
  async addProbe(port: number): Promise<void> {
    const probe = await RtmpClient.connect(port, { bufferBytes: PROBE_BUFFER_BYTES });
    await probe.play("bench");
    const index = this.#delaysMs.push([]) - 1;
    await new Promise<void>((resolve) => {
      this.#probe(probe, index, resolve).catch((error) => {
        this.#fail(error);
        resolve();
      });
    });
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

  async #probe(probe: RtmpClient, index: number, onMedia: () => void): Promise<void> {
    let isFirst = true;
    for (;;) {
      const message = await probe.nextMessage();
      if (!isMedia(message)) continue;
      const nowMs = performance.now();
      if (isFirst) {
        isFirst = false;
        this.#firstMediaMs.push(nowMs - probe.begunMs);
        onMedia();
      }
      const { payload } = message;
      const sentMs = new DataView(payload.buffer, payload.byteOffset).getFloat64(
        payload.length - STAMP_BYTES,
      );
      // What was sent before the window, such as the group of pictures of a player that joins, says nothing about delay.
      if (sentMs >= this.#snapshotMs) this.#delaysMs[index]?.push(nowMs - sentMs);
    }
  }

  async #listen(): Promise<void> {
    for (;;) await this.#publisher.nextMessage();
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
