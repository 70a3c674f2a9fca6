import type { ByteDuplex } from "./tcp.ts";

const FIRST_BUFFER_BYTES = 4 * 1024;
const MAX_BUFFER_BYTES = 64 * 1024;

export interface PumpOptions {
  /** Takes one read. The bytes are reused after it (or its promise) is done. */
  readonly receive: (bytes: Uint8Array) => void | Promise<void>;
  /** Asked before a read that may find nothing yet: what to wait for first. */
  readonly pause?: () => Promise<void> | undefined;
  /** Whether the buffer may grow; absent: always. */
  readonly mayGrow?: () => boolean;
}

/**
 * Reads a connection to its end into one recycled buffer that grows while it is filled: players, who say little, keep 4 KiB each.
 *
 * @throws What reading or `receive` throws.
 */
export async function pumpBytes(duplex: ByteDuplex, options: PumpOptions): Promise<void> {
  const reader = duplex.readable.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(FIRST_BUFFER_BYTES);
  try {
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return;
      const handled = options.receive(value);
      if (handled !== undefined) await handled;
      const isFull = value.length === value.buffer.byteLength;
      const isGrowing = isFull && value.length < MAX_BUFFER_BYTES && (options.mayGrow?.() ?? true);
      buffer = isGrowing ? new ArrayBuffer(value.length * 4) : value.buffer;
      // After a full read there is more, which has waited already.
      const pause = isFull ? undefined : options.pause?.();
      if (pause !== undefined) await pause;
    }
  } finally {
    reader.releaseLock();
  }
}
