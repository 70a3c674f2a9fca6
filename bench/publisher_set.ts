import type { RtmpClient } from "./rtmp_client.ts";
import { type SyntheticStream, syntheticStream } from "./synthetic_stream.ts";

/** How often the schedule of all publishers is looked at, in milliseconds. */
const TICK_MS = 5;

interface Publisher {
  readonly client: RtmpClient;
  /** When its current cycle began, by performance.now(). */
  cycleMs: number;
  /** Next message of the cycle. */
  index: number;
  isWriting: boolean;
  isLost: boolean;
}

/**
 * Many publishers of the same stream. Each message is one write, at its time on an absolute schedule, and no two publishers are at the
 * same place of the stream.
 */
export class PublisherSet {
  readonly #stream: SyntheticStream;
  readonly #publishers: Publisher[] = [];
  sentBytes = 0;
  readonly #onLost: (error: unknown) => void;

  constructor(kbps: number, onLost: (error: unknown) => void) {
    this.#onLost = onLost;
    this.#stream = syntheticStream(kbps, 1);
    setInterval(() => {
      const nowMs = performance.now();
      for (const publisher of this.#publishers) this.#step(publisher, nowMs);
    }, TICK_MS);
  }

  /** @param phase Where in the cycle it stands against the others, 0 to 1. */
  async add(client: RtmpClient, phase: number): Promise<void> {
    for (const bytes of this.#stream.start) await client.write(bytes);
    const cycleMs = performance.now() + phase * this.#stream.cycleMs;
    this.#publishers.push({ client, cycleMs, index: 0, isWriting: false, isLost: false });
  }

  #step(publisher: Publisher, nowMs: number): void {
    if (publisher.isWriting || publisher.isLost) return;
    const { cycle, cycleMs } = this.#stream;
    const message = cycle[publisher.index];
    if (message === undefined || publisher.cycleMs + message.atMs > nowMs) return;
    if (++publisher.index === cycle.length) {
      publisher.index = 0;
      publisher.cycleMs += cycleMs;
    }
    publisher.isWriting = true;
    publisher.client.write(message.bytes).then(() => {
      this.sentBytes += message.bytes.length;
      publisher.isWriting = false;
      this.#step(publisher, nowMs);
    }, (error) => {
      publisher.isLost = true;
      this.#onLost(error);
    });
  }
}
