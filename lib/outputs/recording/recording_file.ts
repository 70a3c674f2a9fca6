import { inBackground } from "../../base/background.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { flvTagBytes, writeFlvTag } from "../../wire/flv.ts";
import type { ContainerTarget, Patch, WholeBytes } from "./recording_container.ts";
import {
  type RecordingDisk,
  RecordingError,
  recordingError,
  type RecordingHandle,
} from "./recording_disk.ts";

/** How long bytes are gathered before they are written, in milliseconds: what a process that is killed loses. */
const GATHER_MS = 250;
/** With so many bytes nothing is gathered any longer. */
const GATHER_BYTES = 1024 * 1024;
/** What may wait for the disk, of one recording, in bytes. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** How often the disk is asked for its room, in milliseconds. */
const ROOM_INTERVAL_MS = 5000;
const MAX_TAG_BYTES = 0xff_ffff;
const SMALLEST_BUFFER_BYTES = 64 * 1024;

export interface RecordingFileOptions {
  readonly disk: RecordingDisk;
  readonly clock: Clock;
  readonly root: string;
  readonly path: string;
  /** What of a write that broke is kept. */
  readonly wholeBytes: WholeBytes;
  /** What must stay free on the disk, in bytes. */
  readonly reserveBytes: number;
  /** Counts its descriptor; what is returned ends that. */
  readonly holdDescriptor: () => () => void;
  /** Called once, when the file can't go on: with what is written closed already, or as soon as the disk answers. */
  readonly onFailed: (error: RecordingError) => void;
}

/**
 * A file that is written beside everything else: what it holds is copied into memory, which is written when there is enough of it or it has
 * waited for a quarter of a second, one write at a time. Only whole tags are written; after a failure what is not whole is cut off.
 */
export class RecordingFile implements ContainerTarget {
  readonly #options: RecordingFileOptions;
  #buffer = new Uint8Array(SMALLEST_BUFFER_BYTES);
  #filled = 0;
  /** What was written before, whose memory is used again. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #inFlight = 0;
  #writtenBytes = 0;
  #timer: Timer | undefined;
  #isWriting = true;
  #handle: RecordingHandle | undefined;
  #ending: readonly Patch[] | undefined;
  #failure: RecordingError | undefined;
  #roomAskedMs = -Infinity;
  readonly #ended = Promise.withResolvers<boolean>();
  readonly #releaseDescriptor: () => void;

  constructor(options: RecordingFileOptions) {
    this.#options = options;
    this.#releaseDescriptor = options.holdDescriptor();
    inBackground(this.#run(), "writing a recording");
  }

  /** As it is called on the disk, once it is there. */
  get path(): string {
    return this.#handle?.path ?? this.#options.path;
  }

  /** Bytes so far, those included that wait for the disk. */
  get bytes(): number {
    return this.#writtenBytes + this.#inFlight + this.#filled;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Resolves when the file is closed: whether it is whole. */
  get ended(): Promise<boolean> {
    return this.#ended.promise;
  }

  append(bytes: Uint8Array, isWhole: boolean = false): void {
    if (!this.#reserve(bytes.length)) return;
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (isWhole) this.#flush();
    else this.#gather();
  }

  /** Adds an FLV tag; one that is longer than FLV can say is left out. */
  appendTag(typeId: number, timestamp: number, payload: Uint8Array): void {
    if (payload.length > MAX_TAG_BYTES || !this.#reserve(flvTagBytes(payload.length))) return;
    this.#filled = writeFlvTag(this.#buffer, this.#filled, typeId, timestamp, payload);
    this.#gather();
  }

  /** Writes what is left, then over the beginning what is known now, and closes the file. */
  close(ending: readonly Patch[]): Promise<boolean> {
    this.#ending ??= ending;
    this.#flush();
    return this.ended;
  }

  #reserve(count: number): boolean {
    if (this.#failure !== undefined || this.#ending !== undefined) return false;
    const waiting = this.#filled + this.#inFlight;
    // One message may be as long as that.
    if (waiting > 0 && waiting + count > MAX_WAITING_BYTES) {
      this.#fail(
        new RecordingError("disk-slow", `${waiting} bytes wait for the disk, limit is ${MAX_WAITING_BYTES}`),
      );
      return false;
    }
    if (this.#filled + count > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#filled + count));
      larger.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = larger;
    }
    return true;
  }

  #gather(): void {
    if (this.#filled >= GATHER_BYTES) this.#flush();
    else if (!this.#isWriting) this.#timer ??= this.#options.clock.setTimer(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    inBackground(this.#writeOn(), "writing a recording");
  }

  /** Never rejects: what fails ends the file. */
  async #run(): Promise<void> {
    const { disk, root, path } = this.#options;
    try {
      this.#handle = await disk.create(root, path);
    } catch (error) {
      this.#fail(recordingError(error));
    }
    await this.#writeOn();
  }

  /** Writes what is there, again and again until it is not worth it. */
  async #writeOn(): Promise<void> {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    try {
      do {
        if (this.#failure === undefined) await this.#writeOnce();
      } while (this.#failure === undefined && this.#filled > 0 && this.#ending !== undefined);
    } catch (error) {
      this.#fail(recordingError(error));
    }
    if (this.#failure !== undefined || this.#ending !== undefined) return await this.#finish();
    this.#isWriting = false;
    if (this.#filled > 0) this.#gather();
  }

  async #writeOnce(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined || this.#filled === 0) return;
    await this.#checkRoom(handle);
    const taken = this.#buffer;
    const length = this.#filled;
    this.#buffer = this.#spare ?? new Uint8Array(SMALLEST_BUFFER_BYTES);
    this.#spare = undefined;
    this.#filled = 0;
    this.#inFlight = length;
    let offset = 0;
    try {
      while (offset < length && this.#failure === undefined) {
        const count = await handle.write(taken.subarray(offset, length));
        if (count <= 0) throw new RecordingError("disk-full", "the disk took nothing");
        offset += count;
      }
    } finally {
      this.#inFlight = 0;
      this.#writtenBytes += offset === length
        ? length
        : this.#options.wholeBytes(taken, offset, this.#writtenBytes === 0);
    }
    // What one large frame needed is not kept for ever.
    if (taken.length <= GATHER_BYTES) this.#spare = taken;
  }

  async #checkRoom({ path }: RecordingHandle): Promise<void> {
    const { disk, clock, reserveBytes } = this.#options;
    if (reserveBytes === 0 || clock.now() - this.#roomAskedMs < ROOM_INTERVAL_MS) return;
    this.#roomAskedMs = clock.now();
    const free = await disk.freeBytes(path);
    if (free === undefined || free >= reserveBytes) return;
    throw new RecordingError("disk-low", `${free} bytes are free, ${reserveBytes} are to stay free`);
  }

  /** Tells of it at once, whatever the disk still does: nothing more is kept in memory. */
  #fail(error: RecordingError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#buffer = new Uint8Array(0);
    this.#filled = 0;
    this.#spare = undefined;
    this.#options.onFailed(error);
    this.#flush();
  }

  async #finish(): Promise<void> {
    const handle = this.#handle;
    let isWhole = false;
    try {
      if (handle !== undefined && this.#failure !== undefined) await handle.truncate(this.#writtenBytes);
      // What is known of a file that broke is right for what it holds, but nobody asked for more writes to such a disk.
      if (handle !== undefined && this.#failure === undefined) {
        for (const { offset, bytes } of this.#ending ?? []) await handle.patch(offset, bytes);
        isWhole = true;
      }
    } catch (error) {
      this.#fail(recordingError(error));
    }
    try {
      handle?.close();
    } catch {
      // Closed all the same.
    }
    this.#releaseDescriptor();
    this.#ended.resolve(isWhole);
  }
}
