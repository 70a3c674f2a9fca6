import type { RecordingDisk, RecordingHandle } from "../../lib/outputs/recording/recording_disk.ts";

/** A file that a fake disk holds. */
export class FakeFile implements RecordingHandle {
  readonly path: string;
  readonly #disk: FakeDisk;
  bytes = new Uint8Array(0);
  isClosed = false;

  constructor(path: string, disk: FakeDisk) {
    this.path = path;
    this.#disk = disk;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#disk.hold;
    if (this.#disk.error !== undefined) throw this.#disk.error;
    // A disk takes what it has room for, and fails after that.
    const count = Math.min(bytes.length, this.#disk.room);
    if (count === 0) throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
    this.#disk.room -= count;
    this.#disk.writes++;
    const longer = new Uint8Array(this.bytes.length + count);
    longer.set(this.bytes);
    longer.set(bytes.subarray(0, count), this.bytes.length);
    this.bytes = longer;
    return count;
  }

  patch(offset: number, bytes: Uint8Array): Promise<void> {
    this.bytes.set(bytes, offset);
    return Promise.resolve();
  }

  truncate(length: number): Promise<void> {
    this.bytes = this.bytes.slice(0, length);
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A disk in memory, which may be full, slow or broken. */
export class FakeDisk implements RecordingDisk {
  readonly files: FakeFile[] = [];
  /** Bytes that it still takes. */
  room = Infinity;
  free: number | undefined;
  /** What creating and writing fail with. */
  error: Error | undefined;
  /** Writes wait for it. */
  hold: Promise<void> = Promise.resolve();
  writes = 0;

  async create(_root: string, path: string): Promise<RecordingHandle> {
    await this.hold;
    if (this.error !== undefined) throw this.error;
    const file = new FakeFile(path, this);
    this.files.push(file);
    return file;
  }

  freeBytes(): Promise<number | undefined> {
    return Promise.resolve(this.free);
  }
}
