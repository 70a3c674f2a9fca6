import { connectRtmp } from "./dial.ts";
import { LibcSocket } from "./libc_socket.ts";
import { PUBLISH_CHUNK_SIZE, type SyntheticStream, syntheticStream } from "./synthetic_stream.ts";

/** How often the schedule of all publishers is looked at, in milliseconds. */
const TICK_MS = 5;
/** How often what the server has sent to a publisher is read, in ticks. */
const READ_TICKS = 200;

interface Publisher {
  readonly socket: LibcSocket;
  /** When its current cycle began, by performance.now(). */
  cycleMs: number;
  /** Next message of the cycle. */
  index: number;
  /** What of it the socket has taken already, in bytes. */
  taken: number;
}

/**
 * Many publishers of the same stream. Each message is one write, at its time on an absolute schedule, and no two publishers are at the
 * same place of the stream.
 */
export class PublisherSet {
  readonly #stream: SyntheticStream;
  readonly #publishers = new Set<Publisher>();
  readonly #trash = new Uint8Array(64 * 1024);
  sentBytes = 0;
  readonly #onLost: (error: unknown) => void;
  #tick = 0;

  constructor(kbps: number, onLost: (error: unknown) => void) {
    this.#onLost = onLost;
    this.#stream = syntheticStream(kbps, 1);
    setInterval(() => this.#step(), TICK_MS);
  }

  /**
   * Publishes one more stream; resolves when the server has let it.
   *
   * @param phase Where in the cycle it stands against the others, 0 to 1.
   */
  async add(port: number, name: string, phase: number): Promise<void> {
    const socket = new LibcSocket(port);
    let isAgreed = false;
    const client = await connectRtmp(port, {
      chunkSize: PUBLISH_CHUNK_SIZE,
      dial: () => Promise.resolve(socket.asDuplex(port, () => isAgreed)),
    });
    await client.publish(name);
    // From now on this set reads.
    isAgreed = true;
    for (const bytes of this.#stream.start) await client.write(bytes);
    const cycleMs = performance.now() + phase * this.#stream.cycleMs;
    this.#publishers.add({ socket, cycleMs, index: 0, taken: 0 });
  }

  #step(): void {
    const nowMs = performance.now();
    this.#tick = (this.#tick + 1) % READ_TICKS;
    let number = 0;
    for (const publisher of this.#publishers) {
      try {
        this.#send(publisher, nowMs);
        if (number++ % READ_TICKS === this.#tick && publisher.socket.receive(this.#trash) === null) {
          throw new Error("Cannot publish: the server has closed the connection");
        }
      } catch (error) {
        this.#publishers.delete(publisher);
        publisher.socket.close();
        this.#onLost(error);
      }
    }
  }

  #send(publisher: Publisher, nowMs: number): void {
    const { cycle, cycleMs } = this.#stream;
    for (;;) {
      const message = cycle[publisher.index];
      if (message === undefined || publisher.cycleMs + message.atMs > nowMs) return;
      const count = publisher.socket.send(message.bytes.subarray(publisher.taken));
      this.sentBytes += count;
      publisher.taken += count;
      if (publisher.taken < message.bytes.length) return;
      publisher.taken = 0;
      if (++publisher.index < cycle.length) continue;
      publisher.index = 0;
      publisher.cycleMs += cycleMs;
    }
  }
}
