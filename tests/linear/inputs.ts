/** A text or list of bytes, made of one unit over and over, of about `size` characters. */
export function fill(unit: string, size: number): string {
  return unit.repeat(Math.ceil(size / unit.length));
}

/** Bytes, made of one unit over and over, of about `size` bytes. */
export function fillBytes(unit: readonly number[], size: number): Uint8Array {
  const count = Math.ceil(size / unit.length);
  const bytes = new Uint8Array(count * unit.length);
  for (let i = 0; i < count; i++) bytes.set(unit, i * unit.length);
  return bytes;
}

/** What `run` gives, or the refusal; anything else that is thrown is a fault of ours. */
export function refusedOr(refusal: new (...values: never[]) => Error, run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof refusal) return error;
    throw error;
  }
}
