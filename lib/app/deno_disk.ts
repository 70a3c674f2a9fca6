// Deno 2.4 has no promise of it.
import { statfs as statfsWithCallback } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { promisify } from "node:util";
import {
  type RecordingDisk,
  RecordingError,
  type RecordingHandle,
} from "../outputs/recording/recording_disk.ts";

const statfs = promisify(statfsWithCallback);

/** Names that are tried where there is a file already. */
const MAX_NAMES = 100;

/** Recordings on the disk of this machine. */
export class DenoDisk implements RecordingDisk {
  async create(root: string, path: string): Promise<RecordingHandle> {
    const folder = dirname(resolve(path));
    await Deno.mkdir(folder, { recursive: true });
    // A link below the root may lead anywhere.
    const [realRoot, realFolder] = await Promise.all([Deno.realPath(resolve(root)), Deno.realPath(folder)]);
    if (
      realFolder !== realRoot && !realFolder.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)
    ) {
      throw new RecordingError("not-writable", `${folder} leads out of ${root}, to ${realFolder}`);
    }
    for (let number = 0; number < MAX_NAMES; number++) {
      const name = number === 0 ? path : path.replace(/(\.[^./]*)?$/, `-${number}$1`);
      try {
        // Neither a file nor a link that is there already is written to.
        const file = await Deno.open(name, { write: true, createNew: true });
        return new DenoHandle(name, file);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
    throw new RecordingError("not-writable", `${path} and ${MAX_NAMES - 1} names like it are there already`);
  }

  async freeBytes(path: string): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await statfs(dirname(resolve(path)));
      return bavail * bsize;
    } catch {
      return undefined;
    }
  }
}

class DenoHandle implements RecordingHandle {
  readonly path: string;
  readonly #file: Deno.FsFile;

  constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#file.write(bytes);
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
  }

  truncate(length: number): Promise<void> {
    return this.#file.truncate(length);
  }

  close(): void {
    this.#file.close();
  }
}
