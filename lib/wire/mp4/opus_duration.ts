const SAMPLES_PER_MS = 48;
/** Milliseconds of one frame by the lower bits of the configuration: of SILK, of both, of CELT. */
const SILK_MS = [10, 20, 40, 60];
const HYBRID_MS = [10, 20];
const CELT_MS = [2.5, 5, 10, 20];

/**
 * How many samples at 48 kHz a packet of Opus has.
 *
 * @see RFC 6716, 3.1
 */
export function opusDuration(packet: Uint8Array): number {
  const [toc = 0, counts = 0] = packet;
  const configuration = toc >> 3;
  const frameMs = configuration < 12
    ? SILK_MS[configuration & 3]
    : configuration < 16
    ? HYBRID_MS[configuration & 1]
    : CELT_MS[configuration & 3];
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? counts & 0x3f : 2;
  return (frameMs ?? 0) * SAMPLES_PER_MS * frames;
}
