/** Where recordings are written; the application has the real one. What fails rejects with an Error, whose `code` says what. */
export interface RecordingDisk {
  /**
   * Makes a file that is not there yet, and the folders that it needs. Where there is one of that name, a number is added to it.
   *
   * @param root The folder that it must not leave.
   */
  create(root: string, path: string): Promise<RecordingHandle>;
  /** Bytes that may still be written where this path is; undefined where nobody knows. */
  freeBytes(path: string): Promise<number | undefined>;
}

/** An open file. */
export interface RecordingHandle {
  /** As it was made. */
  readonly path: string;
  /** Appends; resolves with how many bytes were written, which may be fewer than given. */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes over what is there. Ends appending. */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts off what stands behind. */
  truncate(length: number): Promise<void>;
  close(): void;
}

/** Why a recording could not go on. */
export type RecordingFailure = "disk-full" | "disk-low" | "disk-slow" | "not-writable" | "io-error";

/** A failure with what is to be said of it. */
export class RecordingError extends Error {
  readonly failure: RecordingFailure;

  constructor(failure: RecordingFailure, message: string) {
    super(message);
    this.name = "RecordingError";
    this.failure = failure;
  }
}

const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const NOT_WRITABLE: ReadonlySet<unknown> = new Set([
  "EROFS",
  "EACCES",
  "EPERM",
  "ENOTDIR",
  "ELOOP",
  "EISDIR",
]);
const NOT_ALLOWED: ReadonlySet<unknown> = new Set([
  "PermissionDenied",
  "NotCapable",
  "NotADirectory",
  "AlreadyExists",
  "FilesystemLoop",
]);

/** What an error of the system means for a recording. */
export function recordingError(error: unknown): RecordingError {
  if (error instanceof RecordingError) return error;
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  const text = String(message ?? error);
  if (NO_ROOM.has(code)) return new RecordingError("disk-full", text);
  if (NOT_WRITABLE.has(code) || NOT_ALLOWED.has(name)) return new RecordingError("not-writable", text);
  return new RecordingError("io-error", text);
}
